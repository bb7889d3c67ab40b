#!/usr/bin/env bash
# Debian's Prometheus (with promtool) and Pushgateway for `make test-publishing`, only where they are missing and can be had; else the tests say that they were skipped.
set -uo pipefail
missing=()
command -v prometheus >/dev/null && command -v promtool >/dev/null || missing+=(prometheus)
command -v prometheus-pushgateway >/dev/null || command -v pushgateway >/dev/null || missing+=(prometheus-pushgateway)
[ ${#missing[@]} -eq 0 ] && exit 0
command -v apt-get >/dev/null || { echo "no ${missing[*]} and no apt-get: the tests against them are skipped"; exit 0; }
as_root=""
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || { echo "no ${missing[*]}, and no right to install: the tests against them are skipped"; exit 0; }
  as_root="sudo -n"
fi
# The packages bring services that would listen on every address; nothing is started while this file stands.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy"
  trap '$as_root rm -f "$policy"' EXIT
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
install() { $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"; }
{ install || { $as_root apt-get update -qq && install; }; } >"$log" 2>&1 || { tail -n 3 "$log"; echo "${missing[*]} could not be installed: the tests against them are skipped"; }
rm -f "$log"
