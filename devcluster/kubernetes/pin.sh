#!/usr/bin/env bash
# Writes the module file that builds one version of Kubernetes, and its go.sum, out of Kubernetes' own go.mod.
# usage: pin.sh 1.34.4 versions/1.34.mod, or pin.sh 1.37.2 go.mod for the default version
set -euo pipefail
cd "$(dirname "$0")"
[ $# -eq 2 ] || { echo "usage: pin.sh VERSION FILE" >&2; exit 2; }
version=$1 file=$2
. ../build/parts.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Only this command gets a newer Go by itself.
theirs=$(GOTOOLCHAIN=auto go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
named() { awk -v key="$1" '$1 == key { print $2; exit }' "$theirs"; }

# Kubernetes' go.mod takes its own libraries from folders that its module lacks; they are published as v0.x.
libraries() {
	sed -n 's#^\t*\(k8s.io/[a-z-]*\) => ./staging/src/.*#\1#p' "$theirs" | grep -v '/sample-' | sort -u |
		sed "s#.*#	& => & v0.${version#1.}#"
}

# The default version takes the modules that it shares with norn as norn has them, so that Go compiles each only once.
shared() {
	[ "$file" = go.mod ] || return 0
	awk 'NR == FNR { theirs[$1] = 1; next } $1 in theirs && $2 ~ /^v/ { print "\t" $1, $2 }' "$theirs" ../../go.mod
}

cat >"$tmp/go.mod" <<END
module norn/devcluster/kubernetes

go $(named go)

godebug $(named godebug)

require (
	go.etcd.io/etcd/server/v3 $(named go.etcd.io/etcd/client/v3)
	k8s.io/kubernetes v$version
$(shared)
)

replace (
$(libraries)
)
END
use_toolchain "$tmp/go.mod"
go mod tidy -modfile="$tmp/go.mod"
mkdir -p "$(dirname "$file")"
mv "$tmp/go.mod" "$file"
mv "$tmp/go.sum" "${file%.mod}.sum"
