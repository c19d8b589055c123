package rollout

import (
	"context"
	"io"
	"time"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	"norn/pkg/pipeline"
)

// Target is an app in a cluster, with the options of its rollouts.
type Target struct {
	Namespace, App string
	Spec           *infraspec.Spec // for hints that name a line of it; nil where there is none
	Timeout        time.Duration   // how long a rollout may take
	AllowRestarts  int             // how often a new container may end and come back
	Lock           lease.Request   // its Holder and Wait; the rest is filled in
	// KeepFailed, if not "", leaves a failed version where it is, and says why.
	KeepFailed string
	// Failures, if not "", is the folder into which the evidence of a failure is written.
	Failures string
	Redactor Redactor // hides every decrypted value in what is shown and saved; or nil
}

// Redactor hides values in what is shown. Hide is called for each value before anything could print it.
type Redactor interface {
	Hide(name, value string)
	// Writer is w without the values; Close ends it and leaves w open.
	Writer(w io.Writer) io.WriteCloser
}

// WithLock calls do while it holds the lock of t's app.
func (t Target) WithLock(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, do func(context.Context) error) error {
	return lease.WithLock(ctx, cluster, t.Lock.For(t.Namespace, t.App, func(line string) { pipeline.Say(to, "lock", line) }), do)
}
