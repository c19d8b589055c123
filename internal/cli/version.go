package cli

import "runtime/debug"

// stamped is the version set by the linker (see the Makefile).
var stamped string

// Version returns norn's version.
func Version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
