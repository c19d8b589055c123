package main

import (
	"context"
	"errors"

	"norn/internal/config"
	"norn/internal/logs"
	"norn/internal/status"
	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/infraspec"
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

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }
func (e *usageError) Hint() string  { return "see norn help, or the command's --help" }

// exitCode is the only place that knows which error ends with which code.
func exitCode(ctx context.Context, err error) int {
	var (
		usage       *usageError
		asked       *deploy.UsageError
		setting     *config.FileError
		spec        infraspec.Errors
		invalid     *invalidError
		resolution  *infraspec.NotFoundError
		misnamed    *infraspec.NameError
		secretsFile *secrets.FileError
		unavailable *k8s.UnavailableError
		rollout     *deploy.RolloutError
		conflict    *forge.ConflictError
		noApp       *logs.NotFoundError
		noStatus    *status.NotFoundError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &rollout):
		return exitRollout
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &asked), errors.As(err, &setting),
		errors.As(err, &spec), errors.As(err, &invalid), errors.As(err, &resolution), errors.As(err, &misnamed), errors.As(err, &secretsFile), errors.As(err, &noApp), errors.As(err, &noStatus):
		return exitUsage
	case errors.As(err, &unavailable):
		return exitNoKubernetes
	case errors.As(err, &conflict):
		return exitConflict
	default:
		return exitFailed
	}
}
