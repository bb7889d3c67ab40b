#!/usr/bin/env bash
# Builds popeye, the peer of the benchmark, from its Go module as pinned beside this script, with one compiler at a time.
# The last line of stdout is the binary. What is already built is not built again. Exit code 3: there is no Go to build it.
set -euo pipefail

export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

digest=$(sha256sum -- build.sh go.mod go.sum | sha256sum | cut -c 1-16)
cache=${EXIVITY_AUDIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/exivity-audit}
target=$cache/popeye/$digest

if [ ! -x "$target/popeye" ]; then
  if ! command -v go >/dev/null 2>&1; then
    echo "build.sh: popeye is not built and Go is not installed: install Go 1.26 or newer" >&2
    exit 3
  fi
  mkdir -p -- "$target"
  scratch=$(mktemp -d -- "$target/.building.XXXXXX")
  trap 'rm -rf -- "$scratch"' EXIT
  echo "build.sh: building popeye" >&2
  CGO_ENABLED=0 nice -n 10 go build -p 1 -trimpath -ldflags '-s -w' -o "$scratch/popeye" github.com/derailed/popeye
  mv -f -- "$scratch/popeye" "$target/popeye"
fi

echo "$target/popeye"
