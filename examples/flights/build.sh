#!/usr/bin/env bash
# Builds the models of this example and puts them into folder/flights, where the demo finds them.
#
#   examples/flights/build.sh            writes the components, and BUILT-WITH
#   examples/flights/build.sh --check    writes nothing, and fails where a component is another one
#
# The components are checked in: whoever runs the demo needs no toolchain for WebAssembly. The same
# sources give the same bytes in any folder, as long as the compiler is the one in BUILT-WITH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${UNDERSTUDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/understudy}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}

models=(base-rate logit gbdt moody)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/models/Cargo.toml")
source=$(sed -n 's/^repository = "\(.*\)"/\1/p' "$root/Cargo.toml")

into=$here/folder/flights
if [ "${1:-}" = --check ]; then
    into=$(mktemp -d)
    trap 'rm -rf "$into"' EXIT
fi

cargo build --quiet --release --locked --manifest-path "$root/Cargo.toml" --package builder
"$root/sdk/toolchain/cargo-wasm" build --quiet --release --locked \
    --manifest-path "$here/models/Cargo.toml" "${models[@]/#/--package=}"

mkdir -p "$into"
for model in "${models[@]}"; do
    description=$(sed -n 's/^description = "\(.*\)"/\1/p' "$here/models/$model/Cargo.toml")
    "$CARGO_TARGET_DIR/release/componentize" \
        "$CARGO_TARGET_DIR/wasm32-unknown-unknown/release/${model//-/_}.wasm" \
        --output "$into/$model.wasm" --name "$model" --version "$version" \
        --authors "The Understudy authors" --description "$description" \
        --licenses Apache-2.0 --source "$source"
done

# The compiler that cargo-wasm took.
# shellcheck disable=SC1091
compiler=$(. "$cache/rust/env" && "$rustc" --version)
if [ "${1:-}" != --check ]; then
    echo "$compiler" >"$here/BUILT-WITH"
    exit 0
fi
for model in "${models[@]}"; do
    cmp "$into/$model.wasm" "$here/folder/flights/$model.wasm" || {
        echo "built with $compiler; checked in was built with $(cat "$here/BUILT-WITH")" >&2
        exit 1
    }
done
