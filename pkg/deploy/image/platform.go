package image

import (
	"runtime"
	"slices"
)

// ChoosePlatform returns the platform to build for, given the platforms of the nodes. It prefers this machine's own,
// because other platforms need emulation.
func ChoosePlatform(nodes []string) string {
	own := runtime.GOOS + "/" + runtime.GOARCH
	if len(nodes) == 0 || slices.Contains(nodes, own) && len(nodes) > 1 {
		return own
	}
	return nodes[0]
}
