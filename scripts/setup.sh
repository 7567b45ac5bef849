#!/bin/sh
# Makes .venv with everything the project and its tests need. Run again, it only brings things up to date.
set -eu
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install -q --upgrade uv
.venv/bin/uv pip install -q -p .venv/bin/python -e . --group dev
