package main

import (
	"context"
	"errors"
	"syscall"

	"norn/internal/config"
	"norn/internal/editor"
	"norn/internal/logs"
	"norn/internal/scaffold"
	"norn/internal/status"
	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/infraspec"
	"norn/pkg/job"
	"norn/pkg/k8s"
	"norn/pkg/secrets"
)

// The exit codes; the README says the same to users.
const (
	exitDone         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitNoKubernetes = 3
	exitRollout      = 4
	exitConflict     = 5
	exitInterrupted  = 130
)

// exitNames are the exit codes' names for scripts, in the last event of -o json.
var exitNames = map[int]string{
	exitDone: "done", exitFailed: "failed", exitUsage: "usage", exitNoKubernetes: "no-kubernetes",
	exitRollout: "rollout-failed", exitConflict: "conflict", exitInterrupted: "interrupted",
}

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return "see norn help, or the command's --help" }

// exitCode is the only place that knows which error ends with which code.
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE): // whoever has read as much as they want
		return exitDone
	case is[*deploy.RolloutError](err):
		return exitRollout
	case is[*job.ExitError](err):
		return as[*job.ExitError](err).Code
	case is[*differsError](err), is[*unwellError](err):
		return exitFailed
	case ctx.Err() != nil:
		return exitInterrupted
	case is[*deploy.MigrationError](err), is[*deploy.SnapshotError](err) && !is[*deploy.UsageError](err):
		return exitFailed
	case is[*usageError](err), is[*deploy.UsageError](err), is[*k8s.ImageError](err), is[*k8s.FlagError](err),
		is[infraspec.Errors](err), is[*infraspec.NotFoundError](err), is[*infraspec.NameError](err), is[*invalidError](err),
		is[*config.Error](err), is[*secrets.FileError](err), is[*secrets.NameError](err), is[*secrets.SyntaxError](err), is[*scaffold.ExistsError](err),
		is[*logs.NotFoundError](err), is[*logs.ChoiceError](err), is[*status.NotFoundError](err), is[*job.NotDeployedError](err), is[*editor.MissingError](err):
		return exitUsage
	case is[*k8s.UnavailableError](err):
		return exitNoKubernetes
	case is[*forge.ConflictError](err), is[*k8s.HeldError](err), is[*secrets.HeldError](err):
		return exitConflict
	default:
		return exitFailed
	}
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
