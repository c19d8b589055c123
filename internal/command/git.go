package command

import (
	"bytes"
	"context"
	"slices"
)

// guarded are the options with which norn runs git, so that looking into a folder runs no command that the folder
// names.
var guarded = []string{
	// A clone may hold a folder that looks like a bare repository and brings its own configuration. git must not take it
	// for the repository (man git-config: safe.bareRepository, since git 2.38).
	"-c", "safe.bareRepository=explicit",
	// git status would run this command.
	"-c", "core.fsmonitor=false",
	// norn needs no hook.
	"-c", "core.hooksPath=/dev/null",
}

// GitOutput runs git in a folder and returns its standard output. It discards standard error.
func GitOutput(ctx context.Context, dir string, args ...string) (string, error) {
	var out bytes.Buffer
	err := Git(ctx, Options{Dir: dir, Stdout: &out}, args...)
	return out.String(), err
}

// Git runs git. norn runs it in no other way.
func Git(ctx context.Context, o Options, args ...string) error {
	return RunWith(ctx, o, "git", slices.Concat(guarded, args)...)
}
