#!/usr/bin/env bash
# What the tests need of the system. Root gets what is missing installed, anybody else the command that installs it.
#   system-packages.sh [--list]        --list: names all of it, there or not, and installs nothing
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian's package, and a program or a file that only it brings.
needs=(
  "git             git"
  "openssh-client  ssh-keygen"
  "chromium        chromium"
  "postgresql      /usr/lib/postgresql/*/bin/initdb"
  "pgbouncer       /usr/sbin/pgbouncer"
  "redis-server    redis-server"
)

there() {
  case $1 in
    /*) compgen -G "$1" ;;
    *) command -v "$1" ;;
  esac >/dev/null
}

missing=()
for need in "${needs[@]}"; do
  read -r package shown_by <<<"$need"
  if [ "${1:-}" = --list ] || ! there "$shown_by"; then missing+=("$package"); fi
done
if [ "${1:-}" = --list ]; then
  echo "${missing[*]}"
  exit 0
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "The tests need: ${missing[*]}. Install them, for example: sudo apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
tools/phase.sh "asking Debian what there is" apt-get update
tools/phase.sh "installing ${missing[*]}" apt-get install -y --no-install-recommends "${missing[@]}"
