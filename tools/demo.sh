#!/usr/bin/env bash
# A whole walkthrough on the rehearsal backend, and the site with its report. Interactive on a terminal.
# A walkthrough that was interrupted is resumed: as with real money, a new one would be refused before that.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin/veza-e2e
trap 'status=$?; case $status in 0 | 130) ;; *) echo "To start afresh: make clean, then make demo." >&2 ;; esac' EXIT

open=$({ "$bin" --archive build/rehearsals --json sessions || true; } | .venv/bin/python -c 'import json, sys
print(*[one["name"] for one in json.load(sys.stdin)["items"] if one["status"] == "incomplete"][:1])')
if [ -n "$open" ]; then
  tools/phase.sh --show "resuming the walkthrough that was interrupted" "$bin" resume "$open"
elif [ -t 0 ] && [ -t 2 ]; then
  echo "Nine steps on the rehearsal backend; the checkout page names its test cards. No money moves."
  tools/phase.sh --show "walking through a purchase" "$bin" run
else
  tools/phase.sh --show "walking through a purchase" "$bin" run --unattended --refund
fi
tools/phase.sh "building the site" "$bin" --archive build/rehearsals site build
tools/phase.sh --show "done; open file://$PWD/build/site/index.html" true
