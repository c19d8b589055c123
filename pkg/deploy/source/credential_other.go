//go:build !unix

package source

import "norn/pkg/pipeline"

// serveCredential needs named pipes, which this system does not have.
func serveCredential(string, string) (string, func(), error) {
	return "", nil, &pipeline.UsageError{
		Problem: "NORN_GIT_TOKEN cannot be handed to git on this system",
		Advice:  "let git's own credential manager keep the token",
	}
}
