package cli

import (
	"context"
	"errors"
	"syscall"

	"norn/internal/config"
	"norn/internal/editor"
	"norn/internal/job"
	"norn/internal/logs"
	"norn/internal/scaffold"
	"norn/internal/status"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// The exit codes; docs/json.md says the same to users.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNoKubernetes = 3
	exitRollout      = 4
	exitConflict     = 5
	exitInterrupted  = 130
)

// exitCodes are all there are.
func exitCodes() []exit {
	return []exit{
		{exitDone, "done", "done"},
		{exitFailed, "failed", "failed; or norn doctor found a problem, diff --exit-code a difference"},
		{exitUsage, "usage", "wrong usage, or an infraspec that is not valid"},
		{exitNoKubernetes, "no-kubernetes", "no Kubernetes: no kubeconfig, or no server that answers"},
		{exitRollout, "rollout-failed", "the rollout failed; the message says what runs now"},
		{exitConflict, "conflict", "somebody else works on the app, or an object is not norn's"},
		{exitInterrupted, "interrupted", "interrupted"},
	}
}

func nameOfExit(code int) string {
	for _, e := range exitCodes() {
		if e.code == code {
			return e.name
		}
	}
	return "" // a program's own
}

type exit struct {
	code    int
	name    string // for scripts, in the last event of -o json
	meaning string // for people
}

// The outcomes that have no exit code of their own.
const (
	exitedName  = "exited"  // the program that norn ran ended with this code
	differsName = "differs" // diff --exit-code has found differences
)

// usageError is a command line that cannot be understood.
type usageError struct {
	err     error
	command string // the command that was called, with norn's own name in front; "" where it is not known
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Hint is where the command line is explained.
func (e *usageError) Hint() string {
	if e.command == "" || e.command == ownName {
		return "norn help lists the commands"
	}
	return "see " + e.command + " --help"
}

// exitCode is the only place that knows which error ends with which code.
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE): // whoever has read as much as they want
		return exitDone
	case is[*rollout.Error](err):
		return exitRollout
	case is[*job.ExitError](err):
		return as[*job.ExitError](err).Code
	case is[*differsError](err), is[*unwellError](err):
		return exitFailed
	case ctx.Err() != nil:
		return exitInterrupted
	case is[*deploy.MigrationError](err), is[*database.SnapshotError](err) && !is[*pipeline.UsageError](err):
		return exitFailed
	case is[*usageError](err), is[*pipeline.UsageError](err), is[*objects.ImageError](err), is[*connect.FlagError](err),
		is[infraspec.Errors](err), is[*infraspec.NotFoundError](err), is[*infraspec.NameError](err), is[*invalidError](err),
		is[*config.Error](err), is[*secrets.FileError](err), is[*secrets.NameError](err), is[*secrets.SyntaxError](err), is[*scaffold.ExistsError](err),
		is[*logs.NotFoundError](err), is[*logs.ChoiceError](err), is[*status.NotFoundError](err), is[*job.NotDeployedError](err), is[*editor.MissingError](err):
		return exitUsage
	case is[*connect.UnavailableError](err):
		return exitNoKubernetes
	case is[*objects.ConflictError](err), is[*lease.HeldError](err), is[*secrets.HeldError](err):
		return exitConflict
	default:
		return exitFailed
	}
}

// outcome is how a command ended, for scripts. A program that norn has run gives its own exit code, which is none of norn's.
func outcome(ctx context.Context, err error) ui.Outcome {
	code := exitCode(ctx, err)
	name := nameOfExit(code)
	switch {
	case is[*job.ExitError](err):
		name = exitedName
	case is[*differsError](err):
		name = differsName
	}
	return ui.Outcome{Err: err, Code: code, Name: name, Reason: string(reason(ctx, err))}
}

// as is the error of type E in err's chain.
func as[E error](err error) E {
	e, _ := errors.AsType[E](err)
	return e
}

// is reports whether an error of type E is in err's chain.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
