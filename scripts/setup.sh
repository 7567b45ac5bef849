#!/bin/sh
# Makes .venv. "setup.sh package" installs nbchalice and what it needs to run; "setup.sh tests" also what its tests need,
# Chromium included. Run again, it only brings things up to date.
set -eu
what=${1:-tests}

# uv and pip want a place to keep downloads; where the home folder is none, take the project's own.
[ -w "${HOME:-/nowhere}" ] || export UV_CACHE_DIR="$PWD/.cache/uv" PIP_CACHE_DIR="$PWD/.cache/pip"

fits() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null
}

missing() {
    echo "$1" >&2
    echo "  fix: $2" >&2
    exit 1
}

install() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || missing "$1 is missing" "install it, for example with: sudo apt-get install $1"
    echo "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if ! { [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    # A python3 in PATH may be a shim of a version manager, or too old: the first that really runs is taken.
    python=""
    for name in python3 python3.13 python3.12 python3.14 python3.11; do
        if command -v "$name" >/dev/null && fits "$name"; then
            python=$("$name" -c 'import sys; print(sys.executable)')
            break
        fi
    done
    if [ -z "$python" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        install python3 python3-venv
        fits /usr/bin/python3 && python=/usr/bin/python3
    fi
    [ -n "$python" ] || missing "no Python 3.11 to 3.14 with its venv module was found in PATH" "install one and put it into PATH"
    rm -rf .venv
    "$python" -m venv .venv
fi
.venv/bin/python -m pip install -q --disable-pip-version-check --upgrade uv

if [ "$what" = package ]; then
    .venv/bin/uv pip install -q -p .venv/bin/python -e .
    exit
fi
command -v chromium >/dev/null || command -v google-chrome >/dev/null || install chromium fonts-dejavu-core
.venv/bin/uv pip install -q -p .venv/bin/python -e . --group dev
