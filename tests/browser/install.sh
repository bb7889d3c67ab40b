#!/usr/bin/env bash
# Debian's Chromium for `make test-browser`, only where no browser is there and it can be had; else the tests say that they were skipped.
set -uo pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
command -v apt-get >/dev/null || { echo "no Chromium and no apt-get: the browser tests are skipped"; exit 0; }
as_root=""
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || { echo "no Chromium, and no right to install it: the browser tests are skipped"; exit 0; }
  as_root="sudo -n"
fi
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
install() { $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }
{ install || { $as_root apt-get update -qq && install; }; } >"$log" 2>&1 || { tail -n 3 "$log"; echo "Chromium could not be installed: the browser tests are skipped"; }
rm -f "$log"
