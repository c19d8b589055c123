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
	ExitDone         = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitNoKubernetes = 3
	ExitRollout      = 4
	ExitConflict     = 5
	ExitInterrupted  = 130
)

// ExitCodes are all there are.
func ExitCodes() []Exit {
	return []Exit{
		{ExitDone, "done", "done"},
		{ExitFailed, "failed", "failed; or norn doctor found a problem, diff --exit-code a difference"},
		{ExitUsage, "usage", "wrong usage, or an infraspec that is not valid"},
		{ExitNoKubernetes, "no-kubernetes", "no Kubernetes: no kubeconfig, or no server that answers"},
		{ExitRollout, "rollout-failed", "the rollout failed; the message says what runs now"},
		{ExitConflict, "conflict", "somebody else works on the app, or an object is not norn's"},
		{ExitInterrupted, "interrupted", "interrupted"},
	}
}

func nameOfExit(code int) string {
	for _, e := range ExitCodes() {
		if e.Code == code {
			return e.Name
		}
	}
	return "" // a program's own
}

// Exit is an exit code and what it means.
type Exit struct {
	Code    int
	Name    string // for scripts, in the last event of -o json
	Meaning string // for people
}

// The outcomes that have no exit code of their own.
const (
	ExitedName  = "exited"  // the program that norn ran ended with this code
	DiffersName = "differs" // diff --exit-code has found differences
)

// ExitCode is the only place that knows which error ends with which code.
func ExitCode(ctx context.Context, err error) int {
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE): // whoever has read as much as they want
		return ExitDone
	case is[*rollout.Error](err):
		return ExitRollout
	case is[*job.ExitError](err):
		return as[*job.ExitError](err).Code
	case is[*DiffersError](err), is[*ProblemsFoundError](err):
		return ExitFailed
	case ctx.Err() != nil:
		return ExitInterrupted
	case is[*deploy.MigrationError](err), is[*database.SnapshotError](err) && !is[*pipeline.UsageError](err):
		return ExitFailed
	case is[*UsageError](err), is[*pipeline.UsageError](err), is[*objects.ImageError](err), is[*connect.FlagError](err),
		is[infraspec.Errors](err), is[*infraspec.NotFoundError](err), is[*infraspec.NameError](err), is[*InvalidError](err),
		is[*config.Error](err), is[*secrets.FileError](err), is[*secrets.NameError](err), is[*secrets.SyntaxError](err), is[*scaffold.ExistsError](err),
		is[*logs.NotFoundError](err), is[*logs.ChoiceError](err), is[*status.NotFoundError](err), is[*job.NotDeployedError](err), is[*editor.MissingError](err):
		return ExitUsage
	case is[*connect.UnavailableError](err):
		return ExitNoKubernetes
	case is[*objects.ConflictError](err), is[*lease.HeldError](err), is[*secrets.HeldError](err):
		return ExitConflict
	default:
		return ExitFailed
	}
}

// outcome is how a command ended, for scripts. A program that norn has run gives its own exit code, which is none of norn's.
func outcome(ctx context.Context, err error) ui.Outcome {
	code := ExitCode(ctx, err)
	name := nameOfExit(code)
	switch {
	case is[*job.ExitError](err):
		name = ExitedName
	case is[*DiffersError](err):
		name = DiffersName
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
