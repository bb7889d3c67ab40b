#!/usr/bin/env bash
# Builds the control plane that the cluster tests run: etcd, the Kubernetes API server, controller manager and
# scheduler, helm and kwok, from the Go modules pinned beside this script. The last line of stdout is the directory
# of the finished binaries. What is already built is not built again. With an empty Go cache this takes about a
# quarter of an hour.
#
# Exit codes: 0 everything is there; 3 something is missing and there is no Go to build it; other: the build failed.
set -euo pipefail

export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here"

digest=$(sha256sum -- build.sh crds.txt */go.mod */go.sum | sha256sum | cut -c 1-16)
cache=${EXIVITY_AUDIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/exivity-audit}
target=$cache/controlplane/$digest/bin
# kwok does nothing to a cluster without these; they come from its own module.
stages=stages.yaml

# Charts read these versions; unstamped, some of them fail to render.
kubernetes_stamp="-X k8s.io/component-base/version.gitVersion=v1.36.3
  -X k8s.io/component-base/version.gitMajor=1
  -X k8s.io/component-base/version.gitMinor=36"

helm_stamp="-X helm.sh/helm/v3/internal/version.version=v3.22.0
  -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1
  -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36"

scratch=
trap '[ -z "$scratch" ] || rm -rf -- "$scratch"' EXIT

require_go() {
  if ! command -v go >/dev/null 2>&1; then
    echo "build.sh: the control plane is not built (no complete $target) and Go is not installed: install Go 1.26 or newer" >&2
    exit 3
  fi
  if [ -z "$scratch" ]; then
    mkdir -p -- "$target"
    # One builder at a time; the next one finds the binaries of the first.
    if command -v flock >/dev/null 2>&1; then
      exec 9>"$target/.lock"
      flock 9
      rm -rf -- "$target"/.building.*
    fi
    scratch=$(mktemp -d -- "$target/.building.XXXXXX")
  fi
}

# build MODULE_FOLDER BINARY PACKAGE [LINKER_FLAGS]: a binary appears in the target complete or not at all.
build() {
  local folder=$1 binary=$2 package=$3 flags=${4:-}
  if [ -x "$target/$binary" ]; then
    return
  fi
  require_go
  if [ -x "$target/$binary" ]; then
    return
  fi
  echo "build.sh: building $binary" >&2
  (cd "$folder" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $(echo "$flags" | tr '\n' ' ')" -o "$scratch/$binary" "$package") 9>&-
  mv -f -- "$scratch/$binary" "$target/$binary"
}

# The Stage objects that make nodes Ready and their pods Running, joined into one file, so that a start needs no Go.
join_stages() {
  if [ -s "$target/$stages" ]; then
    return
  fi
  require_go
  echo "build.sh: collecting the stages of kwok" >&2
  local module file
  (cd kwok && go mod download sigs.k8s.io/kwok)
  module=$(cd kwok && go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)
  for file in "$module"/kustomize/stage/node/fast/node-initialize.yaml \
    "$module"/kustomize/stage/node/heartbeat/node-heartbeat.yaml \
    "$module"/kustomize/stage/pod/fast/pod-*.yaml; do
    echo '---'
    cat -- "$file"
    echo
  done >"$scratch/$stages"
  mv -f -- "$scratch/$stages" "$target/$stages"
}

# The operators' own CRDs, each module's content compared with the sum that stands beside its version.
collect_crds() {
  if [ -d "$target/crds" ]; then
    return
  fi
  require_go
  if [ -d "$target/crds" ]; then
    return
  fi
  local module version sum folder found
  mkdir -- "$scratch/crds"
  while read -r module version sum folder; do
    case $module in '#'* | '') continue ;; esac
    echo "build.sh: fetching the CRDs of $module" >&2
    found=$(cd "$scratch" && GOFLAGS=-mod=mod GONOSUMDB='*' go mod download -json "$module@$version")
    if [ "$(sed -n 's/^[[:space:]]*"Sum": "\(.*\)",*$/\1/p' <<<"$found")" != "$sum" ]; then
      echo "build.sh: $module@$version is not what crds.txt says: $found" >&2
      exit 1
    fi
    found=$(sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p' <<<"$found")
    cp -- "$found/$folder"/*_*.yaml "$scratch/crds/"
  done <crds.txt
  chmod -R u+w -- "$scratch/crds"
  mv -- "$scratch/crds" "$target/crds"
}

build etcd etcd go.etcd.io/etcd/server/v3
build kubernetes kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver "$kubernetes_stamp"
build kubernetes kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager "$kubernetes_stamp"
build kubernetes kube-scheduler k8s.io/kubernetes/cmd/kube-scheduler "$kubernetes_stamp"
build helm helm helm.sh/helm/v3/cmd/helm "$helm_stamp"
build kwok kwok sigs.k8s.io/kwok/cmd/kwok
join_stages
collect_crds

echo "$target"
