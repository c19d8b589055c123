package main

import (
	"context"

	"norn/internal/job"
	"norn/internal/logs"
	"norn/internal/status"
	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
	"norn/pkg/k8s/rollout"
	"norn/pkg/secrets"
)

// The reasons of failures that are no rollout's; those are rollout.Reason's. Like them they are stable, since scripts go by them.
const (
	reasonInterrupted    rollout.Reason = "Interrupted"      // by a signal
	reasonNoKubernetes   rollout.Reason = "NoKubernetes"     // no cluster can be reached
	reasonForbidden      rollout.Reason = "Forbidden"        // the cluster does not permit it
	reasonLocked         rollout.Reason = "Locked"           // somebody else works on the app, or on its secrets
	reasonNotOwned       rollout.Reason = "NotOwned"         // an object, or a hostname, is somebody else's
	reasonUsage          rollout.Reason = "Usage"            // the command line cannot be understood, or asks for what cannot be
	reasonInvalid        rollout.Reason = "InvalidInfraspec" // the infraspec cannot be used
	reasonNotFound       rollout.Reason = "AppNotFound"      // there is no such app
	reasonNotDeployed    rollout.Reason = "NotDeployed"      // there is no image to run yet
	reasonSecretsFile    rollout.Reason = "SecretsFile"      // the encrypted file, or its key, cannot be used, or lacks a name
	reasonSnapshot       rollout.Reason = "SnapshotFailed"   // the database's dump could not be made
	reasonMigration      rollout.Reason = "MigrationFailed"
	reasonProgramFailed  rollout.Reason = "ProgramFailed" // the program that norn ran did not end with 0
	reasonToolFailed     rollout.Reason = "ToolFailed"    // a program that norn needs, such as the builder, has failed
	reasonDifferent      rollout.Reason = "Differs"       // diff --exit-code has found differences
	reasonProblems       rollout.Reason = "ProblemsFound" // by doctor
	reasonUnclassifiable rollout.Reason = ""              // only the text says why
)

// reason names why a command failed, more closely than its exit code does.
func reason(ctx context.Context, err error) rollout.Reason {
	switch {
	case is[*deploy.RolloutError](err):
		return as[*deploy.RolloutError](err).Evidence.Reason
	case is[*job.ExitError](err):
		return reasonProgramFailed
	case is[*differsError](err):
		return reasonDifferent
	case is[*unwellError](err):
		return reasonProblems
	case err != nil && exitCode(ctx, err) == exitInterrupted:
		return reasonInterrupted
	case is[*deploy.MigrationError](err):
		return reasonMigration
	case is[*deploy.SnapshotError](err):
		return reasonSnapshot
	case is[*deploy.ToolError](err), is[*forge.RouteError](err):
		return reasonToolFailed
	case is[*connect.UnavailableError](err):
		return reasonNoKubernetes
	case is[*forge.PermissionError](err), is[*k8s.DeniedError](err):
		return reasonForbidden
	case is[*lease.HeldError](err), is[*secrets.HeldError](err):
		return reasonLocked
	case is[*objects.ConflictError](err):
		return reasonNotOwned
	case is[*forge.QuotaError](err):
		return rollout.QuotaExceeded
	case is[*forge.MissingKeysError](err):
		return rollout.MissingSecret
	case is[infraspec.Errors](err), is[*infraspec.NameError](err), is[*invalidError](err):
		return reasonInvalid
	case is[*infraspec.NotFoundError](err), is[*status.NotFoundError](err), is[*logs.NotFoundError](err):
		return reasonNotFound
	case is[*job.NotDeployedError](err):
		return reasonNotDeployed
	case is[*secrets.FileError](err), is[*secrets.NameError](err), is[*secrets.SyntaxError](err):
		return reasonSecretsFile
	case err != nil && exitCode(ctx, err) == exitUsage:
		return reasonUsage
	}
	return reasonUnclassifiable
}
