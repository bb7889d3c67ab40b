#!/usr/bin/env bash
# The product on a kind cluster of its own, audited for evaluation: what `make kind-test` runs. Needs kind, helm and a container engine.
#
#   EXIVITY_CHART=exivity-3.39.2.tgz make kind-test          # a file, or what else helm takes
#   EXIVITY_VALUES=values.yaml                               # else the values for one node that the vendor ships in the chart
#   KEEP=1                                                   # leave the cluster
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
audit=${EXIVITY_AUDIT:-exivity-audit}
: "${EXIVITY_CHART:?names the chart of the product, as helm takes it}"
for program in kind helm kubectl; do
  command -v "$program" >/dev/null || { echo "kind-test: $program is not installed" >&2; exit 2; }
done

name=exivity-audit-$$
folder=$(mktemp -d)
export KUBECONFIG=$folder/kubeconfig
cleanup() {
  [ -n "${KEEP:-}" ] || kind delete cluster --name "$name" >/dev/null 2>&1 || true
  rm -rf -- "$folder"
}
trap cleanup EXIT

values=${EXIVITY_VALUES:-}
settings=(--set storage.storageClass=standard)  # the class that kind brings
if [ -z "$values" ]; then
  settings+=(--set licence=demo)  # what the vendor's values name for evaluation
  values=$folder/values.yaml
  if [ -f "$EXIVITY_CHART" ]; then
    tar -xzOf "$EXIVITY_CHART" exivity/examples/best-practice-single-node.yaml >"$values"
  else
    helm pull "$EXIVITY_CHART" --destination "$folder"
    tar -xzOf "$folder"/*.tgz exivity/examples/best-practice-single-node.yaml >"$values"
  fi
fi

kind create cluster --name "$name" --wait 120s
helm install exivity "$EXIVITY_CHART" --namespace exivity --create-namespace --values "$values" "${settings[@]}"
kubectl wait --namespace exivity --for=condition=Available deployment --all --timeout=15m || echo "kind-test: not everything runs; the audit says what" >&2

code=0
"$audit" run --namespace exivity --purpose evaluation --output table --output "json=$folder/report.json" || code=$?
python3 "$here/expected.py" "$folder/report.json"
exit $(( code == 1 || code == 3 ? 0 : code ))
