//go:build !unix

package deploy

// serveCredential is not to be had without named pipes.
func serveCredential(string, string) (string, func(), error) {
	return "", nil, &UsageError{"NORN_GIT_TOKEN cannot be handed to git on this system", "let git's own credential manager keep the token"}
}
