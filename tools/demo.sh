#!/usr/bin/env bash
# A whole walkthrough on the rehearsal backend, and the site with its report. Interactive on a terminal.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin/veza-e2e

if [ -t 0 ] && [ -t 2 ]; then
  echo "Nine steps on the rehearsal backend; the checkout page names its test cards. No money moves."
  "$bin" run
else
  "$bin" run --unattended --refund
fi
"$bin" --archive build/rehearsals site build
echo "Open it: file://$PWD/build/site/index.html"
