#!/usr/bin/env bash
# Writes the module file that builds one version of Kubernetes, out of Kubernetes' own go.mod, with its go.sum.
# usage: pin.sh 1.34.4 versions/1.34.mod, or pin.sh 1.37.2 go.mod for the default version
set -euo pipefail
cd "$(dirname "$0")"
[ $# -eq 2 ] || { echo "usage: pin.sh VERSION FILE" >&2; exit 2; }
version=$1 file=$2
. ../build/parts.sh

theirs=$(GOTOOLCHAIN=auto go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
word() { awk -v key="$1" '$1 == key { print $2; exit }' "$theirs"; }
# Kubernetes names its own libraries ("staging") by folders that no module holds; they are published as 0.x.
libraries=$(sed -n 's#^\t*\(k8s.io/[a-z-]*\) => ./staging/src/.*#\1#p' "$theirs" | grep -v '/sample-' | sort -u)

# The default version takes the modules that it shares with norn as norn has them: Go then compiles each only once.
shared() {
	[ "$file" = go.mod ] || return 0
	awk 'NR == FNR { theirs[$1] = 1; next } $1 in theirs && $2 ~ /^v/ { print "\t" $1, $2 }' "$theirs" ../../go.mod
}

mkdir -p "$(dirname "$file")"
{
	echo "module norn/devcluster/kubernetes"
	echo
	echo "go $(word go)"
	echo
	echo "godebug $(word godebug)"
	echo
	echo "require ("
	echo "	go.etcd.io/etcd/server/v3 $(word go.etcd.io/etcd/client/v3)"
	echo "	k8s.io/kubernetes v$version"
	shared
	echo ")"
	echo
	echo "replace ("
	for library in $libraries; do
		echo "	$library => $library v0.${version#1.}"
	done
	echo ")"
} >"$file"
rm -f "${file%.mod}.sum"
use_toolchain "$file"
go mod tidy -modfile="$file"
