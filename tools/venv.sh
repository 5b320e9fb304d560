#!/usr/bin/env bash
# Makes .venv; leaves it alone if it is whole, and says what is missing if it cannot be made.
#   venv.sh PYTHON [any]        any: whichever Python .venv was made with will do
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 any=${2:-}
venv=.venv

fail() {
  printf 'veza: %s\n' "$@" >&2
  exit 1
}
describe() { "$1" -c 'import os, sys
print(os.path.realpath(getattr(sys, "_base_executable", sys.executable)), sys.version.split()[0], os.getcwd(), sep="\n")'; }

# The first line names the interpreter, the others its version and this folder: after an upgrade of Python or a move of
# the folder, programs in .venv no longer start.
whole() {
  [ -f $venv/.python ] && [ ! -e $venv/.unfinished ] || return 1
  now=$(describe $venv/bin/python 2>/dev/null) || return 1
  [ "$now" = "$(cat $venv/.python)" ] || return 1
  [ -n "$any" ] || [ "$now" = "$(describe "$python")" ]
}

command -v "$python" >/dev/null ||
  fail "there is no $python. Python 3.11 or newer is needed: apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "Python 3.11 or newer is needed, and $python is $("$python" -V). Name another one: make PYTHON=python3.12 …"
whole && exit 0
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "$python cannot make a virtual environment (no ensurepip). Install it: apt-get install python3-venv"
"$python" -c 'import lzma, sqlite3, ssl' 2>/dev/null ||
  fail "$python was built without lzma, sqlite3 or ssl. Name another one: make PYTHON=/usr/bin/python3 …"

[ ! -e $venv ] || [ -f $venv/.python ] && [ ! -e $venv/.unfinished ] ||
  echo "The last set-up was interrupted; $venv is made again."
base=$(describe "$python")
base=${base%%$'\n'*}
tools/phase.sh "making $venv with $("$python" -V)" "$base" -m venv --clear $venv
describe $venv/bin/python >$venv/.python
