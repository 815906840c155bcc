#!/bin/sh
# Fuzzes every target for SECONDS_EACH seconds, a minute unless told; stops at the first finding.
set -eu
cd "$(dirname "$0")"

for target in $(cargo +nightly fuzz list --fuzz-dir .); do
    echo "fuzzing $target"
    mkdir -p "corpus/$target" "seeds/$target"
    cargo +nightly fuzz run --fuzz-dir . "$target" "corpus/$target" "seeds/$target" -- \
        -max_total_time="${SECONDS_EACH:-60}"
done
