#!/usr/bin/env bash
# Installs the project and one extra's packages into .venv. Interrupted, it leaves .venv/.unfinished: pip takes a
# package of which only half was copied for an installed one, so venv.sh then begins anew.
#   install.sh EXTRA
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip=(.venv/bin/python -m pip install --progress-bar off --constraint constraints.txt)
touch .venv/.unfinished
# Without isolation the build uses the pinned hatchling, and pip need not fetch another one.
tools/phase.sh "installing what builds it" "${pip[@]}" hatchling
tools/phase.sh "installing the packages of [$1]" "${pip[@]}" --no-build-isolation --editable ".[$1]"
.venv/bin/python tools/relative_paths.py
rm .venv/.unfinished
