#!/usr/bin/env bash
# What `make anywhere` needs of the system beside what the tests need: a clock that can be moved, a Turkish locale.
set -euo pipefail

missing=()
compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(faketime)
command -v localedef >/dev/null && [ -e /usr/share/i18n/locales/tr_TR ] || missing+=(locales)
turkish() { locale -a | grep -qix 'tr_TR.utf-\?8'; }
if [ ${#missing[@]} -eq 0 ] && turkish; then exit 0; fi

if [ "$(id -u)" -ne 0 ]; then
  echo "Run as root: apt-get install faketime locales; localedef -i tr_TR -f UTF-8 tr_TR.UTF-8" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
turkish || localedef -i tr_TR -f UTF-8 tr_TR.UTF-8
