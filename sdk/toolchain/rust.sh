#!/usr/bin/env bash
# Makes sure that Rust can build for wasm32-unknown-unknown, and prints how.
#
# Three routes are tried in turn: the standard library that the active rustc already has, the one that
# rustup fetches, and Debian's rustc-web with a standard library built here from Debian's sources. The
# last needs no network but the package archive. What was found is written to a file that
# `cargo-wasm` reads, so a second run has nothing to do and takes a fraction of a second.
#
#   UNDERSTUDY_RUST=rustup|debian   insists on one route
#   UNDERSTUDY_CACHE=DIR            where the file and the built library are kept
#   UNDERSTUDY_INSTALL=no           takes what is there, and installs nothing
set -euo pipefail

target=wasm32-unknown-unknown
cache=${UNDERSTUDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/understudy}
state=$cache/rust
wanted=${UNDERSTUDY_RUST:-}
rustup_timeout_s=120
# A failed download is not tried again by the scripts of the same build.
failure_kept_min=30
debian_packages=(rustc-web cargo-web rust-web-src lld-19)

say() { echo "rust.sh: $*"; }
fail() { echo "rust.sh: $*" >&2; exit 1; }

# The identity of a compiler: release and commit, as one word.
version_of() { "$1" -vV | sed -n 's/^release: //p; s/^commit-hash: //p' | paste -sd- | tr -d ' ' | cut -c1-60; }

# Writes what cargo-wasm needs: the route, cargo, rustc, and for a library of our own the sysroot and linker.
write_env() {
    mkdir -p "$state"
    local file
    file=$(mktemp "$state/env.XXXXXX")
    printf '%s=%q\n' route "$1" cargo "$2" rustc "$3" version "$(version_of "$3")" \
        sysroot "${4:-}" linker "${5:-}" >"$file"
    mv "$file" "$state/env"
    say "$1 ($("$3" --version))"
}

# Whether the file of the last run still tells the truth.
up_to_date() {
    [ -r "$state/env" ] || return 1
    local route cargo rustc version sysroot linker
    # shellcheck disable=SC1091
    . "$state/env"
    case $wanted in
        '') [ "$route" != debian ] || ! active_has_target || return 1 ;;
        rustup) [ "$route" != debian ] || return 1 ;;
        *) [ "$route" = "$wanted" ] || return 1 ;;
    esac
    [ -x "$cargo" ] && [ -x "$rustc" ] && [ "$(version_of "$rustc")" = "$version" ] || return 1
    if [ "$route" = debian ]; then
        has_std "$sysroot/lib/rustlib/$target/lib" && [ -x "$linker" ] || return 1
    else
        [ "$rustc" = "$(active rustc)" ] && active_has_target || return 1
    fi
    say "$route ($("$rustc" --version))"
}

has_std() { compgen -G "$1/libstd-*.rlib" >/dev/null; }

# The tool behind the name in the search path: with rustup the real one, not the proxy, which would
# look for a toolchain file in every folder it is called from.
active() {
    if command -v rustup >/dev/null && rustup which "$1" 2>/dev/null; then return; fi
    command -v "$1"
}

active_has_target() {
    local rustc
    rustc=$(active rustc) || return 1
    has_std "$("$rustc" --print target-libdir --target "$target" 2>/dev/null)"
}

from_active() { active_has_target && write_env present "$(active cargo)" "$(active rustc)"; }

from_rustup() {
    command -v rustup >/dev/null || return 1
    if [ -z "$wanted" ] && [ -n "$(find "$state/rustup-failed" -mmin "-$failure_kept_min" 2>/dev/null)" ]; then
        return 1
    fi
    say "asking rustup for the standard library of $target"
    if timeout "$rustup_timeout_s" rustup target add "$target" && active_has_target; then
        rm -f "$state/rustup-failed"
        write_env rustup "$(active cargo)" "$(active rustc)"
    else
        mkdir -p "$state"
        touch "$state/rustup-failed"
        return 1
    fi
}

as_root() {
    # Nobody may be there to type a password.
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

install_debian_packages() {
    local missing=()
    for package in "${debian_packages[@]}"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        say "only root installs ${missing[*]}, and there is no sudo" >&2
        return 1
    fi
    say "installing ${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
    as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" && return 0
    as_root "${apt[@]}" update && as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

# Builds the standard library through an empty crate and keeps what that compiled. Debian's sources
# carry the dependencies of the library, so nothing is fetched.
build_std() {
    local into=$1 work
    work=$(mktemp -d "$state/build.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    mkdir -p "$work/src"
    : >"$work/src/lib.rs"
    cat >"$work/Cargo.toml" <<-'END'
		[package]
		name = "empty"
		version = "0.0.0"
		edition = "2021"
		[profile.release]
		panic = "abort"
		[workspace]
	END
    say "building the standard library of $target, once; this takes some minutes"
    (
        cd "$work"
        unset CARGO_BUILD_TARGET CARGO_ENCODED_RUSTFLAGS RUSTFLAGS RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTUP_TOOLCHAIN
        # With bitcode, as in a library that rustup fetches, so that guests can optimise across it.
        export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='-C embed-bitcode=yes'
        export CARGO_HOME=$work/home CARGO_TARGET_DIR=$work/target RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
        nice -n 10 /usr/bin/cargo build -q --release --offline -Zbuild-std=std,panic_abort --target "$target" \
            --config 'source.crates-io.replace-with = "debian"' \
            --config "source.debian.directory = '$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/vendor'"
    )
    local library=$work/sysroot/lib/rustlib/$target/lib
    mkdir -p "$library"
    find "$work/target/$target/release/deps" \( -name '*.rlib' -o -name '*.rmeta' \) ! -name 'libempty*' \
        -exec cp -t "$library" {} +
    has_std "$library" || fail "the build of the standard library left no libstd in $library"
    rm -rf "$into"
    mv "$work/sysroot" "$into"
}

from_debian() {
    command -v apt-get >/dev/null || return 1
    install_debian_packages || return 1
    local sysroot
    sysroot=$state/sysroot-$(version_of /usr/bin/rustc)
    has_std "$sysroot/lib/rustlib/$target/lib" || build_std "$sysroot" || return 1
    write_env debian /usr/bin/cargo /usr/bin/rustc "$sysroot" /usr/bin/wasm-ld-19
}

up_to_date && exit 0
mkdir -p "$state"
# Two builds at once would only do the same work twice.
exec 9>"$state/lock"
flock 9
if [ "${UNDERSTUDY_INSTALL:-}" = no ]; then
    up_to_date || { [ "$wanted" != debian ] && from_active; } ||
        fail "found no library of $target; this installs it: understudy toolchain install rust"
    exit 0
fi
case $wanted in
    '') up_to_date || from_active || from_rustup || from_debian ;;
    rustup) from_active || from_rustup ;;
    debian) from_debian ;;
    *) fail "UNDERSTUDY_RUST is \`$wanted\`; expected \`rustup\` or \`debian\`" ;;
esac || fail "no way to build for $target: install rustup (https://rustup.rs), or on Debian:" \
    "sudo apt-get install -y --no-install-recommends ${debian_packages[*]}"
