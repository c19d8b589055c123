package image

import (
	"runtime"
	"slices"
)

// ChoosePlatform returns this machine's platform if nodes of several have it, since others are built by emulation, if at all.
func ChoosePlatform(nodes []string) string {
	own := runtime.GOOS + "/" + runtime.GOARCH
	if len(nodes) == 0 || slices.Contains(nodes, own) && len(nodes) > 1 {
		return own
	}
	return nodes[0]
}
