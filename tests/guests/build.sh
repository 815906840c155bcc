#!/usr/bin/env bash
# Writes every guest of the tests into a folder: tests/guests/build.sh [FOLDER]
#
# The tests themselves build guests in memory and do not need this. Without a change of the sources since the last
# time there is nothing to do.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
folder=${1:-${CARGO_TARGET_DIR:-$project/target}/guests}

cd "$project"
digest=$(find tests/guests sdk/builder wit -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
if [ "$(cat "$folder/.digest" 2>/dev/null)" = "$digest" ]; then
    exit 0
fi
mkdir -p "$folder"
cargo run --locked --release --quiet --package guests -- "$folder"
echo "$digest" >"$folder/.digest"
