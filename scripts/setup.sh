#!/bin/sh
# Makes .venv. "setup.sh package" installs nbchalice and what it needs to run; "setup.sh tests" also what its tests need,
# Chromium included; "setup.sh python" only tells which Python it would take. Run again, it only brings things up to date.
set -eu
what=${1:-tests}

# uv and pip want a place to keep downloads; where there is none, take the project's own.
cache=${XDG_CACHE_HOME:-${HOME:-/nowhere}/.cache}
if ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
    export UV_CACHE_DIR="$PWD/.cache/uv" PIP_CACHE_DIR="$PWD/.cache/pip"
fi

fits() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 16))' 2>/dev/null
}

first_that_fits() {
    old_ifs=$IFS
    IFS=:
    for folder in $PATH; do
        if [ -x "$folder/$1" ] && fits "$folder/$1"; then
            "$folder/$1" -c 'import sys; print(sys.executable)'
            break
        fi
    done
    IFS=$old_ifs
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

choose_python() {
    # A python3 in PATH may be a version manager's shim that runs nothing, or too old, and another one stand behind it.
    python=""
    for name in python3 python3.13 python3.12 python3.14 python3.11 python3.15; do
        [ -n "$python" ] || python=$(first_that_fits "$name")
    done
}

if [ "$what" = python ]; then
    choose_python
    echo "${python:-none}"
    exit
fi
if ! { [ -x .venv/bin/python ] && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    choose_python
    if [ -z "$python" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        install python3 python3-venv
        fits /usr/bin/python3 && python=/usr/bin/python3
    fi
    [ -n "$python" ] || missing "no Python 3.11 to 3.15 with its venv module was found in PATH" "install one and put it into PATH"
    rm -rf .venv
    "$python" -m venv .venv
fi
.venv/bin/python -m pip install -q --disable-pip-version-check --upgrade uv

if [ "$what" = package ]; then
    .venv/bin/uv pip install -q -p .venv/bin/python -e .
    exit
fi
# The test that sets the clock builds a library for it; where it cannot, it says that it was not run.
command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || command -v tcc >/dev/null ||
    ! { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; } || install tcc
command -v chromium >/dev/null || command -v google-chrome >/dev/null || install chromium fonts-dejavu-core
.venv/bin/uv pip install -q -p .venv/bin/python -e . --group dev
