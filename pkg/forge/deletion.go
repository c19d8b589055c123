package forge

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// DefaultDeletionTimeout is how long to wait for pending deletions. A node that is down never reports that its Pods
// have ended, and a finalizer can hold an object forever.
const DefaultDeletionTimeout = 5 * time.Minute

// deletionInterval is the longest time between two checks whether an object is gone. The first checks follow sooner,
// because most deletions are quick.
const deletionInterval = 300 * time.Millisecond

// quietWait is the time after which norn reports a wait.
const quietWait = time.Second

// deletion is a pending deletion and what holds the object.
type deletion struct {
	liveObject
	finalizers []string // without the finalizers of Kubernetes
	pods       []string // the Pods that must end first
	nodes      []string // the nodes of these Pods that are not ready
}

// deletionOf describes the pending deletion of o. It names the Pods that hold o only if the user can list them.
func deletionOf(ctx context.Context, cluster *k8s.Client, o liveObject) deletion {
	d := deletion{liveObject: o, finalizers: foreignFinalizers(o.object)}
	ns, name := o.object.GetNamespace(), o.object.GetName()
	switch o.kind {
	case objects.KindClaim:
		d.pods, _ = cluster.PodsMounting(ctx, ns, name)
	case objects.KindDeployment:
		pods, _ := cluster.GetPods(ctx, ns, name) // the label of its Pods
		d.pods = namesIn(liveObjects("Pod", pods))
	}
	return d
}

// foreignFinalizers returns the finalizers of an object that Kubernetes itself does not remove.
func foreignFinalizers(o metadata.Object) []string {
	builtIn := []string{metav1.FinalizerDeleteDependents, metav1.FinalizerOrphanDependents, pvcProtection}
	return slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(name string) bool {
		return slices.Contains(builtIn, name)
	})
}

// pvcProtection is the finalizer of a claim that a Pod mounts (kubernetes.io: Storage Object in Use Protection).
const pvcProtection = "kubernetes.io/pvc-protection"

// String returns the object, the time of its deletion, and what holds it.
func (d deletion) String() string {
	text := fmt.Sprintf("%s %s is being deleted", d.kind, d.object.GetName())
	if at := d.object.GetDeletionTimestamp(); at != nil {
		text += " (since " + at.UTC().Format(time.RFC3339) + ")"
	}
	var held []string
	if len(d.finalizers) > 0 {
		held = append(held, "waiting for finalizer "+strings.Join(d.finalizers, ", "))
	}
	pods := strings.Join(d.pods, ", ")
	switch {
	case len(d.pods) == 0:
	case d.kind == objects.KindClaim:
		held = append(held, "mounted by Pod "+pods)
	default:
		held = append(held, "waiting for Pod "+pods+" to end"+describeNodes(d.nodes))
	}
	if len(held) == 0 {
		return text
	}
	return text + ": " + strings.Join(held, "; ")
}

// describeNodes returns a phrase for nodes that are not ready, or "".
func describeNodes(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; not ready: node " + strings.Join(names, ", ")
}

// DeletionError reports that norn stopped waiting for a pending deletion. The deletion continues in the cluster.
type DeletionError struct {
	pending deletion
	after   time.Duration
}

// Error names the object, what holds it, and how long norn waited.
func (e *DeletionError) Error() string {
	return fmt.Sprintf("%s (norn waited %s)", e.pending, e.after.Round(time.Second))
}

// Hint returns how to release the object.
func (e *DeletionError) Hint() string {
	name, ns := e.pending.object.GetName(), e.pending.object.GetNamespace()
	kind, pods := strings.ToLower(e.pending.kind), strings.Join(e.pending.pods, " ")
	const again = "; then run the command again"
	switch {
	case len(e.pending.finalizers) > 0:
		return fmt.Sprintf("if the controller of the finalizer no longer exists, remove the finalizer "+
			"with kubectl edit %s %s --namespace %s", kind, name, ns) + again
	case pods != "" && e.pending.kind == objects.KindClaim:
		return fmt.Sprintf("delete the workload of the Pod, or run kubectl delete pod %s --namespace %s", pods, ns) + again
	case pods != "" && len(e.pending.nodes) > 0:
		return fmt.Sprintf("run the command again when the node is back; if it is gone for good, run kubectl delete pod %s "+
			"--namespace %s --force first", pods, ns)
	case pods != "":
		return fmt.Sprintf("if the Pod's node is down, run kubectl delete pod %s --namespace %s --force", pods, ns) + again
	}
	return "run the command again to wait longer"
}

// pendingFunc returns the first pending deletion, or nil.
type pendingFunc = func(context.Context) (*deletion, error)

// waitUntilGone waits until no deletion is pending, and says what it waits for. It checks at least once, even after the
// deadline.
func waitUntilGone(ctx context.Context, deadline time.Time, say func(string), pending pendingFunc) error {
	begin, said := time.Now(), ""
	for interval := deletionInterval / 8; ; interval = min(2*interval, deletionInterval) {
		d, err := pending(ctx)
		if err != nil || d == nil {
			return err
		}
		if time.Now().After(deadline) {
			return &DeletionError{*d, time.Since(begin)}
		}
		if text := d.String(); text != said && time.Since(begin) > quietWait {
			say(text)
			said = text
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", d, context.Cause(ctx))
		case <-time.After(interval):
		}
	}
}

// sayTo returns a function that reports waits to a step's output.
func sayTo(out io.Writer) func(string) { return func(text string) { pipeline.Wait(out, text, nil) } }

// firstPending returns the first of the objects that is being deleted, or nil.
func firstPending(ctx context.Context, cluster *k8s.Client, found []liveObject) *deletion {
	i := slices.IndexFunc(found, func(o liveObject) bool { return o.object.GetDeletionTimestamp() != nil })
	if i < 0 {
		return nil
	}
	d := deletionOf(ctx, cluster, found[i])
	return &d
}
