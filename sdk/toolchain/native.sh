#!/bin/sh
# Makes sure of what compiling the host needs beside Rust: it links a client of Kafka that is written in C, on the
# OpenSSL and the zlib of the system. Takes no time where all is there.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

missing=
command -v cc >/dev/null || missing="$missing gcc"
command -v c++ >/dev/null || missing="$missing g++"
command -v make >/dev/null || missing="$missing make"
command -v pkg-config >/dev/null || missing="$missing pkg-config"
pkg-config --exists openssl 2>/dev/null || missing="$missing libssl-dev"
pkg-config --exists zlib 2>/dev/null || missing="$missing zlib1g-dev"
# A compiler without the headers of the C library is none.
echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1 || missing="$missing libc6-dev"

# shellcheck disable=SC2086
[ -z "$missing" ] || exec "$here/packages.sh" "compiling the host" $missing
