package rollout

import (
	"cmp"
	"context"
	"io"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
)

// Target is a process of an app in a cluster, with the options of a rollout.
type Target struct {
	Namespace, App string
	Process        string          // "" for the app's main process
	Repository     string          // of the infraspec on this machine, for a command that needs none; or ""
	Environment    string          // the chosen one, or ""
	Spec           *infraspec.Spec // of the process, for hints that name its lines; may be nil
	NoSnapshots    bool            // no database is dumped before a migration, for hints
	Timeout        time.Duration   // how long a rollout may take
	AllowRestarts  int             // how often a new container may restart
	Lock           lease.Request   // Holder and Wait; WithLock sets the rest
	// KeepFailed, if not "", is the reason why a failed version stays in place.
	KeepFailed string
	// RanBefore, if not "", is the ReplicaSet that a failure restores instead of the last verified one.
	RanBefore types.UID
	// After, if not "", is the ReplicaSet that a later rollback goes back to instead of RanBefore.
	After types.UID
	// Forged, if not nil, is the change of the Deployment by forge. A restore reverts it.
	Forged *Replacement
	// Claims describe what forge has changed in claims. A restore leaves them as they are.
	Claims []string
	// PutBack, if not nil, puts back what the Pods of a revision need in addition to their template, before a restore. It
	// prints what changes.
	PutBack func(ctx context.Context, out io.Writer, to *appsv1.ReplicaSet) error
	// Failures, if not "", is the folder for the evidence of failures.
	Failures string
	// Omitted are the fields in which the Deployment still differs from the infraspec, for the hint.
	Omitted  []string
	Redactor Redactor // hides decrypted values in output and in the evidence; may be nil
}

// Workload returns the name of the process's Deployment.
func (t Target) Workload() string { return infraspec.WorkloadName(t.App, t.Process) }

// Owner returns the app that t is about.
func (t Target) Owner() objects.Owner {
	return objects.Owner{App: t.App, Repository: t.Repository, Environment: t.Environment}
}

// ProcessName returns the name of the process for messages.
func (t Target) ProcessName() string { return cmp.Or(t.Process, infraspec.MainProcess) }

// Redactor hides values in output. Hide must be called with a value before anything could print it.
type Redactor interface {
	Hide(name, value string)
	// Writer returns a writer that hides the values and writes to w. Closing it flushes it and leaves w open.
	Writer(w io.Writer) io.WriteCloser
	// Values returns a copy of v, for an encoder of JSON, that hides the values.
	Values(v any) (any, error)
}

// HideFunc returns what hides a value in output, or nil.
func (t Target) HideFunc() func(name, value string) {
	if t.Redactor == nil {
		return nil
	}
	return t.Redactor.Hide
}

// WithLock calls do while holding the lock of t's app.
func (t Target) WithLock(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter,
	do func(context.Context) error) error {
	say := func(line string) { pipeline.Say(to, "lock", line) }
	return lease.WithLock(ctx, cluster, t.Lock.For(t.Namespace, t.App, say), do)
}
