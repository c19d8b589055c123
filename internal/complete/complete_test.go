package complete

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
)

func texts(values []Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.Text)
	}
	return out
}

// A source that is not done in time costs its own values and no others.
func TestLateSourceIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		begin := time.Now()
		got := Within(ctx,
			func(context.Context) []Value { time.Sleep(time.Hour); return Words("late") },
			func(context.Context) []Value { time.Sleep(100 * time.Millisecond); return Words("b", "a") },
		)
		if got := texts(got); !slices.Equal(got, []string{"b", "a"}) || time.Since(begin) != 120*time.Millisecond {
			t.Errorf("offered after %s: %q", time.Since(begin), got)
		}
		time.Sleep(time.Hour) // the late one ends too
	})
}

// Values are offered once, in the order of their sources; what a shell would read as several words is not.
func TestValuesAreWords(t *testing.T) {
	got := Within(t.Context(),
		func(context.Context) []Value { return []Value{{"shop", "on disk"}, {"two words", ""}, {"", ""}} },
		func(context.Context) []Value {
			return []Value{{"shop", "in the cluster"}, {"tab\t", ""}, {"line\n", ""}, {"esc\x1b[2J", ""}, {"beat", "a\tb\nc\x1b[2Jd"}}
		},
	)
	if lines := Lines(got); !slices.Equal(lines, []string{"shop\ton disk", "beat\ta b c [2Jd"}) {
		t.Errorf("lines: %q", lines)
	}
	if got := texts(Matching(got, "b")); !slices.Equal(got, []string{"beat"}) {
		t.Errorf("matching: %q", got)
	}
}

// deaf is a cluster that refuses everything but the names of some apps.
type deaf struct{}

var errDeaf = errors.New("no")

func (deaf) AppNames(context.Context, string) ([]string, error) { return []string{"shop"}, errDeaf }
func (deaf) Namespaces(context.Context) ([]string, error)       { return nil, errDeaf }
func (deaf) GetPods(context.Context, string, string) ([]corev1.Pod, error) {
	return nil, errDeaf
}
func (deaf) GetDeployment(_ context.Context, ns, name string) (*appsv1.Deployment, error) {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}, nil
}
func (deaf) Revisions(context.Context, *appsv1.Deployment) ([]k8s.Revision, error) {
	return nil, errDeaf
}

// What a cluster refuses offers nothing, and what it does tell is offered.
func TestRefusalsAreSilent(t *testing.T) {
	ctx := t.Context()
	if got := texts(InCluster(ctx, deaf{}, "default")); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("apps: %q", got)
	}
	for name, got := range map[string][]Value{
		"namespaces": Namespaces(ctx, deaf{}), "pods": Pods(ctx, deaf{}, "default", "shop"),
		"containers": Containers(ctx, deaf{}, "default", "shop"), "revisions": Revisions(ctx, deaf{}, "default", "shop", false),
	} {
		if len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
