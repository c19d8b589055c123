# Functions that compile the devcluster's parts. build.sh reads this file.

# compile_part builds a part into a folder, which appears when it is complete. It runs in a subshell.
compile_part() (
	part=$1 dir=$2
	mkdir -p "$(dirname "$dir")"
	tmp=$(mktemp -d "$(dirname "$dir")/.build-XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	chmod 755 "$tmp"
	flags=$(link_flags "$part")
	cd "$(part_module "$part")"
	case $part in
	supervisor) compile "the devcluster's supervisor" "$tmp/" . ./pause ;;
	kubernetes)
		modfile=$(cd .. && module_file "$version")
		use_toolchain "$modfile"
		compile "Kubernetes $version" "$tmp/kubernetes" -modfile="$modfile" .
		ln -s kubernetes "$tmp/kubectl"
		;;
	dns) compile CoreDNS "$tmp/coredns" . ;;
	gateway) compile Traefik "$tmp/traefik" . ;;
	metrics) compile metrics-server "$tmp/metrics-server" . ;;
	esac
	[ ! -x files.sh ] || ./files.sh "$tmp"
	mv "$tmp" "$dir"
)

# compile builds packages and prints progress on stderr. Its arguments are a name for the messages, the output path, and
# the flags and packages for go build.
compile() {
	local what=$1 output=$2 stale log
	shift 2
	echo "checking the build cache for $what" >&2
	stale=$(go list -deps -f '{{if .Stale}}{{.ImportPath}}{{end}}' "$@" | grep -c . || true)
	if [ "$stale" -gt 500 ]; then
		echo "compiling $stale packages takes 6 to 12 minutes on two cores; it happens only once" >&2
	fi
	log=$(mktemp)
	if ! go build -v -ldflags "$flags" -o "$output" "$@" 2>&1 | count "$what" "$((stale > 0 ? stale : 1))" >"$log"; then
		cat "$log" >&2
		rm "$log"
		return 1
	fi
	rm "$log"
}

# count turns the compiler's list of packages on its input into a count on stderr, and passes the list on.
count() {
	local what=$1 all=$2 n=0 shown=-1 percent line
	while read -r line; do
		n=$((n + 1))
		percent=$((n * 100 / all))
		if [ -t 2 ]; then
			printf '\rcompiling %s: %d of %d packages' "$what" "$n" "$all" >&2
		elif [ $((percent / 5)) -gt "$shown" ]; then
			shown=$((percent / 5))
			echo "compiling $what: $n of $all packages" >&2
		fi
		printf '%s\n' "$line"
	done
	[ ! -t 2 ] || echo >&2
}

# remove_old removes old builds from the cache. It keeps two of each part, and all that were used within the last day.
remove_old() {
	local kind
	for kind in "$1"/*/; do
		find "$kind" -mindepth 1 -maxdepth 1 -type d ! -name '.build-*' -printf '%T@ %p\n' | sort -rn | tail -n +3 |
			awk -v now="$(date +%s)" '$1 < now - 86400' | cut -d' ' -f2- | xargs -r rm -rf
	done
}
