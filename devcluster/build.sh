#!/usr/bin/env bash
# Builds the devcluster once and prints the folder that holds it: devcluster, pause and kubectl. The folder is
# outside the checkout and named after what the build is made of, so that later runs, and other checkouts, find it.
set -euo pipefail
cd "$(dirname "$0")"

# The same flags as norn's own build, so that the two share Go's build cache.
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -tags=grpcnotrace"

cache=${NORN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/norn}/devcluster
key=$({ go version; cat go.mod go.sum build.sh; find . -name '*.go' ! -name '*_test.go' | LC_ALL=C sort | xargs cat; } | sha256sum | cut -c1-16)
out=$cache/$key
if [ -x "$out/devcluster" ]; then
	touch "$out"
	echo "$out"
	exit 0
fi

mkdir -p "$cache"
exec 9>"$cache/build.lock"
flock -n 9 || { echo "waiting for another build of the devcluster" >&2; flock 9; }
if [ -x "$out/devcluster" ]; then # that build was ours
	echo "$out"
	exit 0
fi

# done_of_all turns the compiler's list of packages on its input into a count.
done_of_all() {
	local all=$1 n=0 shown=-1 percent line
	while read -r line; do
		n=$((n + 1))
		percent=$((n * 100 / all))
		if [ -t 2 ]; then
			printf '\rcompiling the devcluster: %d of %d packages' "$n" "$all" >&2
		elif [ $((percent / 5)) -gt "$shown" ]; then
			shown=$((percent / 5))
			echo "compiling the devcluster: $n of $all packages" >&2
		fi
		printf '%s\n' "$line"
	done
	[ ! -t 2 ] || echo >&2
}

kubernetes=$(awk '$1 == "k8s.io/kubernetes" { print substr($2, 2); exit }' go.mod)
stamp=k8s.io/component-base/version
IFS=. read -r major minor _ <<<"$kubernetes"
flags="-s -w -X $stamp.gitVersion=v$kubernetes -X $stamp.gitMajor=$major -X $stamp.gitMinor=$minor -X $stamp.gitTreeState=clean"

echo "looking at what the devcluster (Kubernetes $kubernetes) needs" >&2
go mod download
stale=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' . ./pause | grep -c . || true)
if [ "$stale" -gt 500 ]; then
	echo "this compile of $stale packages happens once; it takes 6 to 12 minutes on two cores" >&2
fi
tmp=$(mktemp -d "$cache/.build-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
if ! go build -v -ldflags "$flags" -o "$tmp/" . ./pause 2>&1 | done_of_all "$((stale > 0 ? stale : 1))" >"$tmp/output"; then
	cat "$tmp/output" >&2
	exit 1
fi
rm "$tmp/output"
ln -s devcluster "$tmp/kubectl"
chmod 755 "$tmp"
mv "$tmp" "$out"

# Older builds are of no use once two newer ones are there.
find "$cache" -mindepth 1 -maxdepth 1 -type d ! -name '.build-*' -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2- | xargs -r rm -rf
echo "$out"
