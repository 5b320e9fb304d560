#!/usr/bin/env bash
# A rehearsal that is killed in the middle of its payment (kill -9: no goodbye), and resumed to its end.
set -euo pipefail
cd "$(dirname "$0")/.."
home=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
bin=$home/.venv/bin

echo "== A walkthrough, killed with SIGKILL as soon as the order is about to be paid."
"$bin/veza-e2e" run --unattended --refund &
walkthrough=$!
for _ in $(seq 2000); do
  if grep -qs '"step":"pay","type":"StepStarted"' build/rehearsals/*/*/*/journal.jsonl; then
    kill -9 "$walkthrough"
    break
  fi
  kill -0 "$walkthrough" 2>/dev/null || break
  sleep 0.005
done
wait "$walkthrough" 2>/dev/null || true

echo
echo "== What is left: a journal without its end."
"$bin/veza-e2e" sessions
echo
echo "== The same command again goes on; what is done is not done twice."
"$bin/veza-e2e" resume
echo
"$bin/veza-e2e" verify --all
