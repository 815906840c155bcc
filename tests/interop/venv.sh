#!/bin/sh
# Makes sure of a virtual environment with exactly what a file of requirements pins, requirements.txt where none is
# named, and prints where it is. It lies in the user's cache under the digest of that file, so that clones share it and a
# change makes another.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
requirements=$here/${1:-requirements.txt}
cache=${UNDERSTUDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/understudy}
python=${PYTHON:-python3}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
digest=$(sha256sum "$requirements" | cut -c 1-16)
venv=$cache/interop-$version-$digest

mkdir -p "$cache"
# Only one at a time; whoever waited finds it there.
exec 9>"$cache/interop.lock"
flock 9
if [ ! -e "$venv/complete" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements" >&2
    touch "$venv/complete"
fi
echo "$venv"
