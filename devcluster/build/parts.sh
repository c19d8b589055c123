# Functions for the sources of the devcluster's parts. build.sh reads this file.

# The same flags as norn's build, so that both share Go's build cache.
export CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -tags=grpcnotrace"

addons="dns gateway metrics"

short_hash() { sha256sum | cut -c1-16; }

# short_version turns 1.34.4 into 1.34 and 1.38.0-beta.0 into 1.38-beta.
short_version() { sed -E 's/^([0-9]+\.[0-9]+)\.[0-9]+(-[a-z]+)?.*/\1\2/'; }

# pinned_version prints the version of Kubernetes that a module file names.
pinned_version() { awk '$1 == "k8s.io/kubernetes" && $2 ~ /^v/ { print substr($2, 2); exit }' "$1"; }

# use_toolchain selects a newer Go version if a module file requires it. Go does not do that for -modfile.
use_toolchain() {
	local needs
	needs=go$(awk '$1 == "go" { print $2; exit }' "$1")
	[ "$(printf '%s\n' "$needs" "$(go env GOVERSION)" | sort -V | tail -1)" != "$needs" ] || export GOTOOLCHAIN=$needs
}

# module_file prints the module file of a version of Kubernetes, relative to kubernetes/.
module_file() {
	local default
	default=$(pinned_version kubernetes/go.mod | short_version)
	[ "$1" = "$default" ] && echo go.mod || echo "versions/$1.mod"
}

# known_versions prints the short versions that can be built.
known_versions() {
	{
		pinned_version kubernetes/go.mod | short_version
		find kubernetes/versions -name '*.mod' -printf '%f\n' | sed 's/\.mod$//'
	} | sort -V | xargs
}

# kubernetes_version prints the short version that $KUBERNETES selects, or fails if it is unknown.
kubernetes_version() {
	local default known
	default=$(pinned_version kubernetes/go.mod | short_version)
	known=$(known_versions)
	if [[ " $known " != *" ${KUBERNETES:-$default} "* ]]; then
		echo "Error: unknown Kubernetes version \"$KUBERNETES\"" >&2
		echo "Hint: set KUBERNETES to one of $known; the default is $default" >&2
		return 2
	fi
	echo "${KUBERNETES:-$default}"
}

# part_module prints the folder of a part's module.
part_module() {
	case $1 in
	supervisor) echo . ;;
	kubernetes) echo kubernetes ;;
	*) echo "addons/$1" ;;
	esac
}

# part_sources prints the files that a part is built from.
part_sources() {
	local mod
	case $1 in
	supervisor) find go.mod go.sum main.go internal pause -type f ! -name '*_test.go' ;;
	kubernetes)
		mod=$(module_file "$version")
		echo "kubernetes/$mod"
		echo "kubernetes/${mod%.mod}.sum"
		find kubernetes -name '*.go' ! -name '*_test.go'
		;;
	*) find "addons/$1" -type f ! -name '*_test.go' ;;
	esac | LC_ALL=C sort
}

# part_key prints a hash of a part's sources and build flags.
part_key() {
	{
		[ "$1" != kubernetes ] || use_toolchain "kubernetes/$(module_file "$version")"
		go version
		echo "$GOFLAGS" "$(link_flags "$1")"
		part_sources "$1" | xargs sha256sum
	} | short_hash
}

# link_flags prints the linker flags, which set the version that Kubernetes reports.
link_flags() {
	local full major minor stamp=k8s.io/component-base/version
	echo -n "-s -w"
	[ "$1" = kubernetes ] || return 0
	full=$(pinned_version "kubernetes/$(module_file "$version")")
	IFS=. read -r major minor _ <<<"$full"
	echo " -X $stamp.gitVersion=v$full -X $stamp.gitMajor=$major -X $stamp.gitMinor=$minor -X $stamp.gitTreeState=clean"
}
