#!/usr/bin/env bash
# Debian's servers for `make test-probes`, only those that are missing and can be had; else the tests say that they were skipped.
# None of them is started as a service: the tests start their own, on loopback, with their own data.
set -uo pipefail
missing=()
[ -x /usr/sbin/nginx ] || missing+=(nginx)
compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null || missing+=(postgresql)
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
[ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
[ ${#missing[@]} -eq 0 ] && exit 0
skipped() { echo "$1: tests of ${missing[*]} are skipped"; exit 0; }
command -v apt-get >/dev/null || skipped "no apt-get"
as_root=""
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || skipped "no right to install"
  as_root="sudo -n"
fi
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
install() { $as_root apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=120 "${missing[@]}"; }
{ install || { $as_root apt-get update -qq && install; }; } >"$log" 2>&1 || { tail -n 3 "$log"; echo "they could not be installed: tests of ${missing[*]} are skipped"; }
rm -f "$log"
