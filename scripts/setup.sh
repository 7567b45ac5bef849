#!/bin/sh
# Makes .venv with everything the project and its tests need. Run again, it only brings things up to date.
set -eu

packages=""
python3 -c 'import ensurepip, venv' 2>/dev/null || packages="$packages python3-venv"
command -v chromium >/dev/null || command -v google-chrome >/dev/null || packages="$packages chromium fonts-dejavu-core"
if [ -n "$packages" ] && command -v apt-get >/dev/null; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    echo "installing$packages"
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install -q --upgrade uv
.venv/bin/uv pip install -q -p .venv/bin/python -e . --group dev
