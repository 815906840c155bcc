#!/usr/bin/env bash
# Builds the runner, which `understudy pack` writes models into.
#
#   sdk/runner/build.sh            writes runner.wasm, and BUILT-WITH
#   sdk/runner/build.sh --check    writes nothing, and fails where runner.wasm is another one
#
# It is a core module, and checked in: whoever packs a model needs no toolchain for WebAssembly. The same sources give the same bytes in
# any folder, as long as the compiler is the one in BUILT-WITH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${UNDERSTUDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/understudy}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}

UNDERSTUDY_TARGET_FEATURES=+simd128 "$here/../toolchain/cargo-wasm" build --quiet --release --locked \
    --manifest-path "$here/Cargo.toml"
built=$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/runner.wasm

# The compiler that cargo-wasm took.
# shellcheck disable=SC1091
compiler=$(. "$cache/rust/env" && "$rustc" --version)
if [ "${1:-}" != --check ]; then
    cp "$built" "$here/runner.wasm.partial"
    mv "$here/runner.wasm.partial" "$here/runner.wasm"
    echo "$compiler" >"$here/BUILT-WITH"
    exit 0
fi
cmp "$built" "$here/runner.wasm" || {
    echo "where the sources of sdk/trained, sdk/rust or sdk/runner changed, run sdk/runner/build.sh" >&2
    echo "built with $compiler; checked in was built with $(cat "$here/BUILT-WITH")" >&2
    exit 1
}
