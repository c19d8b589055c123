#!/usr/bin/env bash
# Copies the Gateway API's resource definitions out of the module cache: files.sh OUTDIR fills OUTDIR/gateway-api.
set -euo pipefail
out=${1:?usage: files.sh OUTDIR}
[[ $out = /* ]] || out=$PWD/$out
cd "$(dirname "$0")"

go mod download sigs.k8s.io/gateway-api
module=$(go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)
mkdir -p "$out/gateway-api"
for file in "$module"/config/crd/standard/gateway.networking.k8s.io_*s.yaml; do
	# The policies among them only guard against other versions.
	[[ $file = *_vap_* ]] || install -m 644 "$file" "$out/gateway-api/"
done
