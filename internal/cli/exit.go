package cli

import (
	"cmp"
	"context"
	"errors"
	"reflect"

	"norn/internal/batch"
	"norn/internal/command"
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
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/forge/route"
	"norn/pkg/forge/tunnel"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/k8s/lease"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// The exit codes.
const (
	ExitDone         = 0
	ExitFailed       = 1
	ExitUsage        = 2
	ExitNoKubernetes = 3
	ExitRollout      = 4
	ExitConflict     = 5
	ExitInterrupted  = 130
)

// Exit is an exit code with its meaning.
type Exit struct {
	Code    int
	Name    string // for scripts, in the last event of -o json
	Meaning string // for people
}

// Exits returns all exit codes. docs/json.md repeats them to users.
func Exits() []Exit {
	return []Exit{
		{ExitDone, "done", "done"},
		{ExitFailed, "failed", "failed; doctor found a problem; diff --exit-code found a difference"},
		{ExitUsage, "usage", "invalid usage, or an invalid infraspec"},
		{ExitNoKubernetes, "no-kubernetes", "no Kubernetes: no kubeconfig, or the API server does not answer"},
		{ExitRollout, "rollout-failed", "the rollout failed; the message says which version runs now"},
		{ExitConflict, "conflict", "conflict with another run, another owner or a change by somebody else"},
		{ExitInterrupted, "interrupted", "interrupted"},
	}
}

// The names of outcomes that share an exit code.
const (
	ExitedName  = "exited"  // the program that norn ran ended with this code
	DiffersName = "differs" // norn diff --exit-code found differences
)

// The reasons of failures other than failed rollouts; package rollout has the others. Both are stable for scripts.
const (
	reasonInterrupted   k8srollout.Reason = "Interrupted"      // by a signal
	reasonNoKubernetes  k8srollout.Reason = "NoKubernetes"     // no cluster can be reached
	reasonForbidden     k8srollout.Reason = "Forbidden"        // the cluster denied a permission
	reasonLocked        k8srollout.Reason = "Locked"           // another run holds the lock of the app or of its secrets
	reasonChanged       k8srollout.Reason = "ChangedByOthers"  // somebody else changed the Pod template during the run
	reasonNotOwned      k8srollout.Reason = "NotOwned"         // an object or hostname has another owner
	reasonHeld          k8srollout.Reason = "CanaryHeld"       // a canary of another version is held
	reasonEnvironment   k8srollout.Reason = "OtherEnvironment" // the cluster or an object belongs to another environment
	reasonUsage         k8srollout.Reason = "Usage"            // the command line or the request is invalid
	reasonInvalid       k8srollout.Reason = "InvalidInfraspec" // the infraspec is invalid
	reasonNotFound      k8srollout.Reason = "AppNotFound"      // the app does not exist
	reasonNotDeployed   k8srollout.Reason = "NotDeployed"      // the app has no image yet
	reasonSecretsFile   k8srollout.Reason = "SecretsFile"      // the encrypted file or its key is unusable
	reasonSnapshot      k8srollout.Reason = "SnapshotFailed"   // the database could not be dumped
	reasonMigration     k8srollout.Reason = "MigrationFailed"
	reasonProgramFailed k8srollout.Reason = "ProgramFailed" // the program that norn ran did not end with 0
	reasonToolFailed    k8srollout.Reason = "ToolFailed"    // a program that norn needs, such as the builder, failed
	reasonDifferent     k8srollout.Reason = "Differs"       // norn diff --exit-code found differences
	reasonProblems      k8srollout.Reason = "ProblemsFound" // norn doctor found a problem
	reasonRoute         k8srollout.Reason = "NotRouted"     // nothing routes the public hosts, or a controller refuses
	reasonUnreachable   k8srollout.Reason = "Unreachable"   // with --require-reachable: a public host does not answer
	reasonNode          k8srollout.Reason = "NodeNotReady"  // a node kept a rollout from completing; norn restored nothing
	reasonNone          k8srollout.Reason = ""              // only the error's text explains the cause
)

// outcome is how norn ends after an error of one type.
type outcome struct {
	errorType reflect.Type
	matches   func(error) bool
	code      int
	reason    k8srollout.Reason
	name      string // for scripts; "" means the exit code's name
}

// ends returns the outcome of an error of type E.
func ends[E error](code int, reason k8srollout.Reason) outcome {
	return outcome{reflect.TypeFor[E](), is[E], code, reason, ""}
}

// results returns the outcomes of commands that completed with a result. A signal that arrives in between does not
// change them.
func results() []outcome {
	differs := ends[*DiffersError](ExitFailed, reasonDifferent)
	differs.name = DiffersName
	exited := ends[*job.ExitError](ExitFailed, reasonProgramFailed) // with the program's own code
	exited.name = ExitedName
	return []outcome{
		ends[*rollout.Error](ExitRollout, reasonNone), // with the reason in its evidence
		ends[*rollout.VerifyError](ExitRollout, reasonNone),
		exited,
		differs,
		ends[*ProblemsFoundError](ExitFailed, reasonProblems),
		ends[*AllError](ExitFailed, reasonNone), // with the code of its failures
	}
}

// failures returns the outcomes of failed commands. For an error that wraps several types, the first one counts.
func failures() []outcome {
	badConnection := ends[*database.SnapshotError](ExitUsage, reasonSnapshot)
	badConnection.matches = func(err error) bool {
		return is[*database.SnapshotError](err) && is[*pipeline.UsageError](err)
	}
	return []outcome{
		ends[*lease.HeldError](ExitConflict, reasonLocked), // a lost lock also makes the step at hand fail
		ends[*lease.UnrenewedError](ExitFailed, reasonNone),
		ends[*rollout.ChangedError](ExitConflict, reasonChanged),
		ends[*objects.HeldError](ExitConflict, reasonHeld),
		ends[*rollout.NodeError](ExitFailed, reasonNode),
		ends[*rollout.OldPodError](ExitFailed, reasonNone),
		ends[*deploy.MigrationError](ExitFailed, reasonMigration),
		badConnection,
		ends[*database.SnapshotError](ExitFailed, reasonSnapshot),
		ends[*pipeline.ToolError](ExitFailed, reasonToolFailed),
		ends[*connect.UnavailableError](ExitNoKubernetes, reasonNoKubernetes),
		ends[*SecretUnreadableError](ExitNoKubernetes, reasonNoKubernetes),
		ends[*forge.DeletionError](ExitFailed, reasonNone), // a finalizer, a claim in use, a node that is down
		ends[*tunnel.ConfigError](ExitFailed, reasonNone),
		ends[*forge.PermissionError](ExitFailed, reasonForbidden),
		ends[*k8s.DeniedError](ExitFailed, reasonForbidden),
		ends[*job.InputDeniedError](ExitFailed, reasonForbidden),
		ends[*secrets.HeldError](ExitConflict, reasonLocked),
		ends[*objects.ConflictError](ExitConflict, reasonNotOwned),
		ends[*route.TakenError](ExitConflict, reasonNotOwned),
		ends[*forge.RouteError](ExitFailed, reasonRoute),
		ends[*UnreachableError](ExitFailed, reasonUnreachable),
		ends[*objects.RepositoryError](ExitConflict, reasonNotOwned),
		ends[*k8s.ForeignError](ExitConflict, reasonNotOwned),
		ends[*objects.SelectedError](ExitConflict, reasonNotOwned),
		ends[*objects.OtherEnvironmentError](ExitConflict, reasonEnvironment),
		ends[*ClusterError](ExitConflict, reasonEnvironment),
		ends[*FingerprintError](ExitFailed, reasonForbidden),
		ends[*infraspec.EnvironmentError](ExitUsage, reasonUsage),
		ends[*infraspec.PreviewError](ExitUsage, reasonUsage),
		ends[*forge.QuotaError](ExitFailed, k8srollout.QuotaExceeded),
		ends[*forge.RefusedError](ExitFailed, k8srollout.PodsRefused),
		ends[*forge.MissingKeysError](ExitFailed, k8srollout.MissingSecret),
		ends[*forge.MissingReferenceError](ExitFailed, k8srollout.MissingSecret),
		ends[infraspec.Errors](ExitUsage, reasonInvalid),
		ends[*infraspec.NameError](ExitUsage, reasonInvalid),
		ends[*InvalidError](ExitUsage, reasonInvalid),
		ends[*infraspec.NotFoundError](ExitUsage, reasonNotFound),
		ends[*status.NotFoundError](ExitUsage, reasonNotFound),
		ends[*logs.NotFoundError](ExitUsage, reasonNotFound),
		ends[*job.NotDeployedError](ExitUsage, reasonNotDeployed),
		ends[*secrets.FileError](ExitUsage, reasonSecretsFile),
		ends[*secrets.NameError](ExitUsage, reasonSecretsFile),
		ends[*secrets.SyntaxError](ExitUsage, reasonSecretsFile),
		ends[*UsageError](ExitUsage, reasonUsage),
		ends[*batch.CycleError](ExitUsage, reasonUsage),
		ends[*MisspelledError](ExitUsage, reasonNotFound), // unless the error that it wraps has another reason
		ends[*pipeline.UsageError](ExitUsage, reasonUsage),
		ends[*config.Error](ExitUsage, reasonUsage),
		ends[*connect.FlagError](ExitUsage, reasonUsage),
		ends[*command.StartError](ExitFailed, reasonUsage), // with the code of a shell
		ends[*editor.MissingError](ExitUsage, reasonUsage),
		ends[*logs.ChoiceError](ExitUsage, reasonUsage),
		ends[*objects.ImageError](ExitUsage, reasonUsage),
		ends[*scaffold.ExistsError](ExitUsage, reasonUsage),
		ends[*scaffold.SourceError](ExitUsage, reasonUsage),
		ends[*DeclinedError](ExitFailed, reasonNone),
		ends[*forge.ShrinkError](ExitFailed, reasonNone),
		ends[*forge.FixedError](ExitFailed, reasonNone),
		ends[*objects.ClaimDeletionError](ExitFailed, reasonNone),
		ends[*k8s.NamespaceError](ExitFailed, reasonNone),
		ends[*k8s.DeletionError](ExitFailed, reasonNone),
		ends[*deploy.UnfinishedError](ExitFailed, reasonNone),
	}
}

// Outcome returns the outcome of a command that ended with err. No other code in norn knows exit codes and reasons.
func Outcome(ctx context.Context, err error) ui.Outcome {
	found := find(ctx, err)
	name := cmp.Or(found.name, exitName(found.code))
	o := ui.Outcome{Err: err, Code: found.code, Name: name, Reason: string(found.reason)}
	switch found.errorType {
	case reflect.TypeFor[*rollout.Error]():
		failed, _ := errors.AsType[*rollout.Error](err)
		o.Reason = string(failed.Evidence.Reason)
	case reflect.TypeFor[*rollout.VerifyError]():
		failed, _ := errors.AsType[*rollout.VerifyError](err)
		o.Reason = string(failed.Evidence.Reason)
	case reflect.TypeFor[*AllError]():
		all, _ := errors.AsType[*AllError](err)
		o.Code, o.Name = all.Code, exitName(all.Code)
	case reflect.TypeFor[*job.ExitError]():
		exited, _ := errors.AsType[*job.ExitError](err)
		o.Code = exited.Code
	case reflect.TypeFor[*command.StartError]():
		start, _ := errors.AsType[*command.StartError](err)
		o.Code = start.Code()
	}
	return o
}

func find(ctx context.Context, err error) outcome {
	if err == nil || ReaderGone(err) { // the reader closed the pipe because it has read enough
		return outcome{code: ExitDone}
	}
	for _, o := range results() {
		if o.matches(err) {
			return o
		}
	}
	if ctx.Err() != nil {
		return outcome{code: ExitInterrupted, reason: reasonInterrupted}
	}
	for _, o := range failures() {
		if o.matches(err) {
			return o
		}
	}
	return outcome{code: ExitFailed}
}

func exitName(code int) string {
	for _, e := range Exits() {
		if e.Code == code {
			return e.Name
		}
	}
	return ""
}

// is reports whether err wraps an error of type E.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
