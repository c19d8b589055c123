#!/usr/bin/env bash
# Builds the devcluster once and prints the folder that holds its programs: devcluster, pause, kubernetes and kubectl.
# Arguments add optional programs: dns adds coredns, gateway adds traefik, metrics adds metrics-server.
# KUBERNETES selects a version of kubernetes/versions, such as KUBERNETES=1.34 build.sh
# usage: build.sh [dns] [gateway] [metrics]
set -euo pipefail
cd "$(dirname "$0")"
. build/parts.sh
. build/compile.sh

for word in "$@"; do
	[[ " $addons " == *" $word "* ]] || { echo "Error: unknown add-on \"$word\": want one of $addons" >&2; exit 2; }
done
version=$(kubernetes_version)

# Each part has its own key, so a change of one part does not rebuild the others. The printed folder contains links to
# the programs of all parts. It is outside of the checkout, so other checkouts use it, too.
cache=${NORN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/norn}/devcluster-builds
declare -A key
for part in supervisor kubernetes "$@"; do
	key[$part]=$(part_key "$part")
done
out=$cache/bin-$version/$(short_hash <<<"${key[supervisor]} ${key[kubernetes]}")

# part_dir prints the folder that a part is built into.
part_dir() {
	local name=$1
	[ "$1" != kubernetes ] || name=kubernetes-$version
	echo "$cache/$name/${key[$1]}"
}

# is_linked reports whether the printed folder contains the current state of a part.
is_linked() { [ "$(cat "$out/.$1" 2>/dev/null)" = "${key[$1]}" ]; }

is_complete() {
	local part
	for part in supervisor kubernetes "$@"; do
		is_linked "$part" || return 1
	done
}

# link_part links a part's files into the printed folder, replacing older ones. Hard links let a program find the
# others in its own folder, and they outlive the part's folder.
link_part() {
	local dir
	dir=$(part_dir "$1")
	mkdir -p "$out"
	cp -alf "$dir/." "$out/"
	touch "$dir"
	echo "${key[$1]}" >"$out/.$1"
}

if ! is_complete "$@"; then
	mkdir -p "$cache"
	exec 9>"$cache/build.lock"
	flock -n 9 || { echo "waiting for another build of the devcluster" >&2; flock 9; }
	for part in supervisor kubernetes "$@"; do
		if ! is_linked "$part"; then
			[ -d "$(part_dir "$part")" ] || compile_part "$part" "$(part_dir "$part")"
			link_part "$part"
		fi
	done
	remove_old "$cache"
fi
touch "$out"
echo "$out"
