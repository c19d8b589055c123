package cli

import (
	"context"

	"norn/internal/job"
	"norn/internal/logs"
	"norn/internal/status"
	"norn/pkg/deploy"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// The reasons of failures that are no rollout's; those are rollout.Reason's. Like them they are stable, since scripts go by them.
const (
	reasonInterrupted    k8srollout.Reason = "Interrupted"      // by a signal
	reasonNoKubernetes   k8srollout.Reason = "NoKubernetes"     // no cluster can be reached
	reasonForbidden      k8srollout.Reason = "Forbidden"        // the cluster does not permit it
	reasonLocked         k8srollout.Reason = "Locked"           // somebody else works on the app, or on its secrets
	reasonNotOwned       k8srollout.Reason = "NotOwned"         // an object, or a hostname, is somebody else's
	reasonUsage          k8srollout.Reason = "Usage"            // the command line cannot be understood, or asks for what cannot be
	reasonInvalid        k8srollout.Reason = "InvalidInfraspec" // the infraspec cannot be used
	reasonNotFound       k8srollout.Reason = "AppNotFound"      // there is no such app
	reasonNotDeployed    k8srollout.Reason = "NotDeployed"      // there is no image to run yet
	reasonSecretsFile    k8srollout.Reason = "SecretsFile"      // the encrypted file, or its key, cannot be used, or lacks a name
	reasonSnapshot       k8srollout.Reason = "SnapshotFailed"   // the database's dump could not be made
	reasonMigration      k8srollout.Reason = "MigrationFailed"
	reasonProgramFailed  k8srollout.Reason = "ProgramFailed" // the program that norn ran did not end with 0
	reasonToolFailed     k8srollout.Reason = "ToolFailed"    // a program that norn needs, such as the builder, has failed
	reasonDifferent      k8srollout.Reason = "Differs"       // diff --exit-code has found differences
	reasonProblems       k8srollout.Reason = "ProblemsFound" // by doctor
	reasonUnclassifiable k8srollout.Reason = ""              // only the text says why
)

// reason names why a command failed, more closely than its exit code does.
func reason(ctx context.Context, err error) k8srollout.Reason {
	switch {
	case is[*rollout.Error](err):
		return as[*rollout.Error](err).Evidence.Reason
	case is[*job.ExitError](err):
		return reasonProgramFailed
	case is[*DiffersError](err):
		return reasonDifferent
	case is[*ProblemsFoundError](err):
		return reasonProblems
	case err != nil && ExitCode(ctx, err) == ExitInterrupted:
		return reasonInterrupted
	case is[*deploy.MigrationError](err):
		return reasonMigration
	case is[*database.SnapshotError](err):
		return reasonSnapshot
	case is[*pipeline.ToolError](err), is[*forge.RouteError](err):
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
		return k8srollout.QuotaExceeded
	case is[*forge.MissingKeysError](err):
		return k8srollout.MissingSecret
	case is[infraspec.Errors](err), is[*infraspec.NameError](err), is[*InvalidError](err):
		return reasonInvalid
	case is[*infraspec.NotFoundError](err), is[*status.NotFoundError](err), is[*logs.NotFoundError](err):
		return reasonNotFound
	case is[*job.NotDeployedError](err):
		return reasonNotDeployed
	case is[*secrets.FileError](err), is[*secrets.NameError](err), is[*secrets.SyntaxError](err):
		return reasonSecretsFile
	case err != nil && ExitCode(ctx, err) == ExitUsage:
		return reasonUsage
	}
	return reasonUnclassifiable
}
