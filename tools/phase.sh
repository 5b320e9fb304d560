#!/usr/bin/env bash
# Says what is done and how long it has taken, keeps the output of the command for itself, and shows its end if it fails.
#   phase.sh [--show] LABEL COMMAND…        --show: the command's output goes straight to the terminal
# The seconds count from PHASES_SINCE (seconds since 1970), which the Makefile sets when it starts.
set -uo pipefail

show=
if [ "$1" = --show ]; then
  show=1
  shift
fi
label=$1
shift
since=${PHASES_SINCE:-$(date +%s)}

line() { printf '%s[%3d s] %s' "$1" $(($(date +%s) - since)) "$label"; }

# On a terminal the seconds count up in place; elsewhere a line comes every 30 seconds, so that no log looks dead.
count() {
  for ((second = 1; ; second++)); do
    sleep 1 >/dev/null 2>&1
    kill -0 $$ 2>/dev/null || exit 0
    if [ -t 1 ]; then
      line $'\r'
    elif ((second % 30 == 0)); then
      line '' && echo ' …'
    fi
  done
}

interrupted=
trap 'interrupted=1' INT TERM HUP
line ''
if [ -n "$show" ]; then
  echo
  "$@"
  status=$?
else
  mkdir -p build/logs
  log=build/logs/${label//[^[:alnum:].-]/_}.log
  [ -t 1 ] || echo
  count &
  counter=$!
  "$@" >"$log" 2>&1
  status=$?
  kill "$counter" 2>/dev/null
  wait "$counter" 2>/dev/null
  [ -t 1 ] && line $'\r' && echo
fi
[ "$status" -eq 0 ] && exit 0

if [ -n "$interrupted" ] || [ "$status" -eq 130 ]; then
  echo "Interrupted while $label. The same command again starts where it can; \`make clean\` first starts afresh." >&2
  exit 130
fi
{
  echo "Failed ($status) while $label:"
  if [ -z "$show" ]; then
    tail -n 30 "$log" | sed 's/^/  | /'
    echo "  All of it: $log"
  fi
  printf '  The command:'
  printf ' %q' "$@"
  printf '\n'
} >&2
exit "$status"
