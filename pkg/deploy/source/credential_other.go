//go:build !unix

package source

import "norn/pkg/pipeline"

// serveCredential returns an error: it needs named pipes, which this system lacks.
func serveCredential(string, string) (string, func(), error) {
	return "", nil, &pipeline.UsageError{
		Problem: "NORN_GIT_TOKEN is not supported on this system",
		Advice:  "store the token in git's credential manager",
	}
}
