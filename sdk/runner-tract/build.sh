#!/usr/bin/env bash
# Builds the runner of nets, which `understudy pack` writes nets into that its own runner cannot run.
#
#   sdk/runner-tract/build.sh            writes runner.wasm.gz, and BUILT-WITH
#   sdk/runner-tract/build.sh --check    writes nothing, and fails where the built module is another one
#   sdk/runner-tract/build.sh --digest   prints the digest of the sources
#
# It takes six minutes of processor time, so that what --check built is kept in the user's cache, for these sources and this compiler.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${UNDERSTUDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/understudy}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}

digest() {
    (cd "$here/.." && cat runner-tract/Cargo.toml runner-tract/Cargo.lock runner-tract/src/lib.rs runner-tract/src/slot.rs \
        trained/src/net.rs ../wit/understudy-model-0.1.0/model.wit) | sha256sum | cut -c1-64
}
if [ "${1:-}" = --digest ]; then
    digest
    exit 0
fi

"$here/../toolchain/rust.sh" >/dev/null
# The compiler that cargo-wasm takes.
# shellcheck disable=SC1091
compiler=$(. "$cache/rust/env" && "$rustc" --version)
key=$({ digest && echo "$compiler" && cat "$here/build.sh" "$here/../toolchain/cargo-wasm" "$here/../toolchain/rustc-anywhere"; } |
    sha256sum | cut -c1-16)
kept=$cache/runner-tract/$key.wasm

check() {
    gzip -dc "$here/runner.wasm.gz" | cmp - "$1" || {
        echo "if the sources changed, run sdk/runner-tract/build.sh" >&2
        echo "built with $compiler; checked in was built with $(head -1 "$here/BUILT-WITH")" >&2
        exit 1
    }
}
if [ "${1:-}" = --check ] && [ -e "$kept" ]; then
    check "$kept"
    exit 0
fi

# No source of randomness: operators that would ask for one are refused when a net is packed.
UNDERSTUDY_TARGET_FEATURES=+simd128 UNDERSTUDY_CFG='getrandom_backend="unsupported"' \
    "$here/../toolchain/cargo-wasm" build --quiet --release --locked --manifest-path "$here/Cargo.toml"
built=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/runner_tract.wasm

if [ "${1:-}" != --check ]; then
    gzip -9 -n <"$built" >"$here/runner.wasm.gz.partial"
    mv "$here/runner.wasm.gz.partial" "$here/runner.wasm.gz"
    printf '%s\nsources %s\n' "$compiler" "$(digest)" >"$here/BUILT-WITH"
    exit 0
fi
mkdir -p "$cache/runner-tract"
cp "$built" "$kept.partial.$$"
mv "$kept.partial.$$" "$kept"
check "$kept"
