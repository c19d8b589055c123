package rollout

import (
	"context"
	"io"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
)

// Target is an app in a cluster, with the options of a rollout.
type Target struct {
	Namespace, App string
	Spec           *infraspec.Spec // for hints that name its lines; may be nil
	Timeout        time.Duration   // how long a rollout may take
	AllowRestarts  int             // how often a new container may restart
	Lock           lease.Request   // Holder and Wait; WithLock sets the rest
	// KeepFailed, if not "", is the reason why a failed version stays in place.
	KeepFailed string
	// RanBefore, if not "", is the ReplicaSet that a failure restores instead of the last verified one.
	RanBefore types.UID
	// Failures, if not "", is the folder for the evidence of failures.
	Failures string
	// Omitted are the fields in which the Deployment still differs from the infraspec, for the hint.
	Omitted  []string
	Redactor Redactor // hides decrypted values in output and in the evidence; may be nil
}

// Redactor hides values in output. Hide must be called with a value before anything could print it.
type Redactor interface {
	Hide(name, value string)
	// Writer returns a writer that hides the values and writes to w. Closing it flushes it and leaves w open.
	Writer(w io.Writer) io.WriteCloser
}

// WithLock calls do while holding the lock of t's app.
func (t Target) WithLock(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter,
	do func(context.Context) error) error {
	say := func(line string) { pipeline.Say(to, "lock", line) }
	return lease.WithLock(ctx, cluster, t.Lock.For(t.Namespace, t.App, say), do)
}
