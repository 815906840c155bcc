#!/bin/sh
# Installs packages of the system where it may: `packages.sh WHY PACKAGE...`, with the names that Debian has for them.
# Where it may not, it prints the one command that does, and fails.
set -eu

why=$1
shift
command="apt-get install -y --no-install-recommends $*"
apt() { DEBIAN_FRONTEND=noninteractive $root apt-get -q -o DPkg::Lock::Timeout=600 "$@" >&2; }

if ! command -v apt-get >/dev/null; then
    echo "$why needs these, which have other names where there is no apt-get: $*" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root='sudo -n --preserve-env=DEBIAN_FRONTEND'
else
    echo "$why needs: sudo $command" >&2
    exit 1
fi
echo "$why needs $*: installing" >&2
apt install -y --no-install-recommends "$@" || { apt update && apt install -y --no-install-recommends "$@"; }
