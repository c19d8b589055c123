package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Prune tears down previews that have expired at a time, with their data. like has what the teardowns share: the lock
// and the time limit. Each preview is a step. A step reads again under the lock of its app when the preview expires,
// because a deploy may have renewed it. A step that fails does not stop the others.
func Prune(
	ctx context.Context, cluster *k8s.Client, run pipeline.Runner, expired []Preview, like Removal,
) error {
	var errs []error
	for _, p := range expired {
		what := like
		what.Namespace, what.App, what.Environment, what.DeleteData = p.Namespace, p.App, p.Environment, true
		end := func(end func(context.Context, *k8s.Client, pipeline.Reporter, Removal) error) pipeline.Func[pipeline.None] {
			return pipeline.Act(func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
				did := &lines{out: out}
				err := end(ctx, cluster, did, what)
				if renewed, ok := errors.AsType[*renewedError](err); ok {
					return pipeline.Result{State: pipeline.Skipped, Detail: renewed.Error()}, nil
				}
				result := did.result(p.Namespace)
				if run.Dry && len(did.details) > 0 {
					result.State, result.Detail = pipeline.Planned, "would delete in "+result.Detail
				}
				return result, err
			})
		}
		tearDown := func(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, what Removal) error {
			_, err := Teardown(ctx, cluster, to, what)
			return err
		}
		step := pipeline.Step[pipeline.None]{Name: "Preview " + p.App, Run: end(tearDown), Plan: end(PlanTeardown)}
		_, err := pipeline.RunStep(ctx, run, step)
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// renewedError reports that a preview has not expired.
type renewedError struct{ expires time.Time }

// Error says when it expires.
func (e *renewedError) Error() string {
	if e.expires.IsZero() {
		return "no object says any more when it expires"
	}
	return "it was renewed, and expires at " + e.expires.UTC().Format(time.RFC3339)
}

// checkExpired returns a *renewedError if the objects of a preview have not expired. All of them must belong to the
// preview. A preview without objects is gone.
func (t *teardown) checkExpired() error {
	if t.what.ExpiredAt.IsZero() {
		return nil
	}
	var expires time.Time
	all := t.environmentObjects()
	for _, o := range all {
		if metadata.EnvironmentOf(o.object) == "" {
			return &objects.OtherEnvironmentError{
				Kind: o.kind, Namespace: t.what.Namespace, Name: o.object.GetName(), Ours: t.what.Environment,
			}
		}
		expires = later(expires, metadata.Expires(o.object))
	}
	if len(all) > 0 && (expires.IsZero() || expires.After(t.what.ExpiredAt)) {
		return &renewedError{expires}
	}
	return nil
}

// lines reports the events of a teardown as the output of one step.
type lines struct {
	out     io.Writer
	details []string
}

// Report implements pipeline.Reporter.
func (l *lines) Report(e pipeline.Event) {
	switch e.Kind {
	case pipeline.Output:
		_, _ = fmt.Fprintln(l.out, e.Line)
	case pipeline.Warned:
		pipeline.Warn(l.out, "%s", e.Line)
	case pipeline.Waiting:
		pipeline.Wait(l.out, e.Line, e.Pods)
	case pipeline.Ended:
		if e.Result.State == pipeline.Deleted || e.Result.State == pipeline.Planned {
			detail := strings.TrimPrefix(e.Result.Detail, "would delete ")
			if e.Step != "Workload" {
				detail = e.Step + " " + detail
			}
			l.details = append(l.details, detail)
		}
	case pipeline.Started, pipeline.Failing:
	}
}

// result returns what the teardown deleted, or would delete, in a namespace.
func (l *lines) result(ns string) pipeline.Result {
	if len(l.details) == 0 {
		return gone
	}
	return pipeline.Result{
		State: pipeline.Deleted, Detail: "namespace " + ns + ": " + strings.Join(l.details, "; "),
	}
}
