package image

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"norn/pkg/k8s/platform"
	"norn/pkg/pipeline"
)

// ownPlatform is the platform of the images that run on this machine. On macOS, that is in a virtual machine with
// Linux.
const ownPlatform = "linux/" + runtime.GOARCH

// ChoosePlatforms returns the platforms to build for: build.platforms, or else one of the nodes' platforms. It prefers
// this machine's own, because other platforms need emulation. The nodes' platforms may be unknown.
//
// An archive to load holds one platform only. ChoosePlatforms then returns the one that the nodes have, or a
// *pipeline.UsageError if they have several.
func ChoosePlatforms(declared, nodes []string, load bool) ([]string, error) {
	switch {
	case len(declared) == 0 && len(nodes) > 0 && (len(nodes) == 1 || !slices.Contains(nodes, ownPlatform)):
		return nodes[:1], nil
	case len(declared) == 0:
		return []string{ownPlatform}, nil
	case len(declared) == 1, !load:
		return declared, nil
	}
	if len(nodes) == 0 {
		nodes = []string{ownPlatform}
	}
	fitting := platform.Matching(declared, nodes)
	if len(fitting) == 1 {
		return fitting, nil
	}
	problem := fmt.Sprintf("build.platforms has none of the nodes' platforms (%s)", strings.Join(nodes, ", "))
	if len(fitting) > 1 {
		problem = fmt.Sprintf("the nodes need an image for several platforms (%s), which cannot be loaded into them",
			strings.Join(fitting, ", "))
	}
	return nil, &pipeline.UsageError{
		Problem: problem,
		Advice:  "set a registry with --registry or NORN_REGISTRY_URL, or name one platform in build.platforms",
	}
}

// EmulationHint returns how to build for platforms that this machine cannot run.
func EmulationHint(platforms []string) string {
	foreign := slices.DeleteFunc(slices.Clone(platforms), func(p string) bool { return p == ownPlatform })
	return fmt.Sprintf("the Dockerfile runs a program for %s, which this machine (%s) cannot run; begin the stage that "+
		"builds with FROM --platform=$BUILDPLATFORM and cross-compile for $TARGETOS and $TARGETARCH, or install QEMU's "+
		"user emulation (package qemu-user-static)", strings.Join(foreign, ", "), ownPlatform)
}

// FormatWatch passes on a builder's output, and notes whether a program for another platform could not be run.
type FormatWatch struct {
	To   io.Writer
	rest []byte // the end of the output so far
	seen bool
}

// formatError is the text of ENOEXEC (man 3 errno).
const formatError = "exec format error"

// Write implements io.Writer.
func (f *FormatWatch) Write(p []byte) (int, error) {
	f.rest = append(f.rest, bytes.ToLower(p)...)
	f.seen = f.seen || bytes.Contains(f.rest, []byte(formatError))
	f.rest = f.rest[max(0, len(f.rest)-len(formatError)):]
	return f.To.Write(p)
}

// Seen reports whether the builder could not run a program.
func (f *FormatWatch) Seen() bool { return f.seen }
