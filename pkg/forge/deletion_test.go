package forge

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
)

func deleting(finalizers ...string) *corev1.Service {
	at := metav1.NewTime(time.Date(2026, 11, 28, 13, 48, 16, 0, time.UTC))
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Name: "web", Namespace: "shops", DeletionTimestamp: &at, Finalizers: finalizers,
	}}
}

// A pending deletion names what holds the object. If the deletion does not end, the hint says how to release the
// object.
func TestDeletion(t *testing.T) {
	held := deleting("foregroundDeletion", "example.com/keep")
	for _, c := range []struct {
		deletion   deletion
		text, hint string
	}{
		{
			deletion{liveObject{objects.KindService, held}, foreignFinalizers(held), nil, nil},
			"Service web is being deleted (since 2026-11-28T13:48:16Z): waiting for finalizer example.com/keep",
			"kubectl edit service web --namespace shops; then run the command again",
		},
		{
			deletion{liveObject{objects.KindClaim, deleting(pvcProtection)}, nil, []string{"debug"}, nil},
			"mounted by Pod debug", "kubectl delete pod debug --namespace shops; then",
		},
		{
			deletion{liveObject{objects.KindDeployment, deleting()}, nil, []string{"web-1", "web-2"}, nil},
			"waiting for Pod web-1, web-2 to end", "kubectl delete pod web-1 web-2 --namespace shops --force; then",
		},
		{
			deletion{liveObject{objects.KindDeployment, deleting()}, nil, nil, nil},
			"Deployment web is being deleted (since 2026-11-28T13:48:16Z)", "run the command again",
		},
		{
			deletion{liveObject{objects.KindDeployment, deleting()}, nil, []string{"web-1"}, []string{"node-2"}},
			"waiting for Pod web-1 to end; not ready: node node-2", "run the command again when the node is back",
		},
	} {
		err := &DeletionError{c.deletion, 5 * time.Minute}
		if got := err.Error(); !strings.Contains(got, c.text) || !strings.HasSuffix(got, "(norn waited 5m0s)") {
			t.Errorf("got %q, want it to contain %q", got, c.text)
		}
		if got := err.Hint(); !strings.Contains(got, c.hint) {
			t.Errorf("hint is %q, want it to contain %q", got, c.hint)
		}
	}
}

// A wait reports each state once, and ends at its deadline with what holds the object.
func TestWaitUntilGone(t *testing.T) {
	pending := func(context.Context) (*deletion, error) {
		return &deletion{liveObject: liveObject{objects.KindService, deleting()}}, nil
	}
	var said []string
	deadline := time.Now().Add(quietWait + 3*deletionInterval)
	err := waitUntilGone(t.Context(), deadline, func(s string) { said = append(said, s) }, pending)
	if _, ok := errors.AsType[*DeletionError](err); !ok || len(said) != 1 {
		t.Errorf("error %v after %q, want a DeletionError after one line", err, said)
	}
}
