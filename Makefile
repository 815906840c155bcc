# Each target calls cargo or a short script; nothing is decided here.

CACHE := $(or $(UNDERSTUDY_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/understudy)
export UNDERSTUDY_CACHE := $(CACHE)
# Third-party crates stay compiled between clones.
export CARGO_TARGET_DIR ?= $(CACHE)/target
CARGO := cargo --locked

DEMO_SECONDS ?= 120
ROWS ?= all
MINUTES ?= 5
HOSTS ?= 3

.PHONY: help demo languages notebook build lint test native tools guests bench chaos fuzz docs

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: build ## plays a year of flights through four models (DEMO_SECONDS=120, KEEP=1 goes on serving)
	$(CARGO_TARGET_DIR)/release/understudy demo --examples examples/flights --seconds $(DEMO_SECONDS) $(if $(KEEP),--keep)

languages: build ## has fourteen models in nine languages and five formats live in one host, and compares them
	python3 -B examples/languages/run.py --understudy $(CARGO_TARGET_DIR)/release/understudy

notebook: build ## executes the walk-through of examples/notebook, and writes what came of it into the page
	python3 -B examples/notebook/execute.py --understudy $(CARGO_TARGET_DIR)/release/understudy

build: native ## builds the host, and says where the binary is
	$(CARGO) build --release --package server
	@echo "understudy: $(CARGO_TARGET_DIR)/release/understudy"

lint: native ## formatting, clippy and tidiness; quick
	cargo fmt --all --check
	$(CARGO) test --release --quiet --package tidy
	$(CARGO) clippy --workspace --all-targets -- --deny warnings

native:
	@sdk/toolchain/native.sh

tools: ## installs what building guests and the tests need
	sdk/toolchain/rust.sh
	tests/interop/venv.sh
	tests/interop/venv.sh ../../examples/external/requirements.txt
	tests/interop/venv.sh ../trained/requirements.txt
	tests/kafka/install.sh

guests: tools ## rebuilds the example models, and the guests of the tests
	examples/flights/build.sh
	sdk/runner/build.sh
	tests/guests/build.sh

test: build tools ## installs what the tests need and runs them all
	sdk/toolchain/cargo-wasm build --package message --package rendezvous
	$(CARGO) test --release --manifest-path examples/flights/models/Cargo.toml
	$(CARGO) test --release --workspace

bench: native ## ratios measured in one run, as a table and target/bench.json (ROWS=a,f runs some)
	$(CARGO) run --release --package bench -- --rows $(ROWS)

chaos: build ## kills, pauses and cuts off hosts and brokers under load (MINUTES=5, HOSTS=3, SEED=)
	UNDERSTUDY_BINARY=$(CARGO_TARGET_DIR)/release/understudy $(CARGO) run --release --package chaos -- \
		$(if $(SEED),--seed $(SEED)) --minutes $(MINUTES) --hosts $(HOSTS)

fuzz: ## fuzzes each target for a minute (needs nightly and cargo-fuzz)
	tests/fuzz/run.sh

docs: native ## the documentation of every crate
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --workspace --no-deps
