#!/usr/bin/env bash
# Says what is done and how long it has taken, keeps the output of the command for itself, and shows its end if it fails.
#   phase.sh [--show] LABEL COMMAND…        --show: the command's output goes straight to the terminal
# The seconds count from PHASES_SINCE (seconds since 1970), which the Makefile sets when it starts. With PHASES_BESIDE other
# phases run at the same time: none counts up in place, where it would write over the others.
set -uo pipefail

show=
if [ "$1" = --show ]; then
  show=1
  shift
fi
label=$1
shift
since=${PHASES_SINCE:-$(date +%s)}

counts=
[ -t 1 ] && [ -z "${PHASES_BESIDE:-}" ] && counts=1

line() { printf '%s[%3d s] %s%b' "$1" $(($(date +%s) - since)) "$label" "${2-}"; }

# On a terminal the seconds count up in place; elsewhere a line comes every 30 seconds, so that no log looks dead.
count() {
  for ((second = 1; ; second++)); do
    sleep 1 >/dev/null 2>&1
    kill -0 $$ 2>/dev/null || exit 0
    if [ -n "$counts" ]; then
      line $'\r'
    elif ((second % 30 == 0)); then
      line '' ' …\n'
    fi
  done
}

interrupted=
trap 'interrupted=1' INT TERM HUP
[ -n "$show" ] && counts=
if [ -n "$counts" ]; then line ''; else line '' '\n'; fi
if [ -n "$show" ]; then
  "$@"
  status=$?
else
  mkdir -p build/logs
  log=build/logs/${label//[^[:alnum:].-]/_}.log
  count &
  counter=$!
  "$@" >"$log" 2>&1
  status=$?
  kill "$counter" 2>/dev/null
  wait "$counter" 2>/dev/null
  [ -n "$counts" ] && line $'\r' '\n'
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
