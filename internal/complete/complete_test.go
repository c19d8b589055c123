package complete

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

func texts(values []Value) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.Text)
	}
	return out
}

// If a source is too slow, only its own values are missing.
func TestLateSourceIsOmitted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		begin := time.Now()
		got := Within(ctx,
			func(context.Context) []Value { time.Sleep(time.Hour); return Words("late") },
			func(context.Context) []Value { time.Sleep(100 * time.Millisecond); return Words("b", "a") },
		)
		if got := texts(got); !slices.Equal(got, []string{"b", "a"}) || time.Since(begin) != 120*time.Millisecond {
			t.Errorf("after %s: %q", time.Since(begin), got)
		}
		time.Sleep(time.Hour) // let the late source end
	})
}

// Each value is offered once, in the order of the sources.
func TestValuesAreOfferedOnce(t *testing.T) {
	got := Within(t.Context(),
		func(context.Context) []Value { return []Value{{"shop", "on disk"}, {"", ""}} },
		func(context.Context) []Value { return []Value{{"shop", "in the cluster"}, {"beat", ""}} },
	)
	if lines := Lines(got); !slices.Equal(lines, []string{"shop\ton disk", "beat"}) {
		t.Errorf("lines: %q", lines)
	}
	if got := texts(Matching(got, "b")); !slices.Equal(got, []string{"beat"}) {
		t.Errorf("matching: %q", got)
	}
}

// deniedCluster denies all requests, except for the names of some apps.
type deniedCluster struct{}

var errDenied = errors.New("denied")

func (deniedCluster) AppNames(context.Context, string) ([]string, error) {
	return []string{"shop"}, errDenied
}
func (deniedCluster) InEnvironments(context.Context, string) ([]metadata.Object, error) {
	return nil, errDenied
}
func (deniedCluster) Namespaces(context.Context) ([]string, error) { return nil, errDenied }
func (deniedCluster) ProcessPods(context.Context, string, string) ([]corev1.Pod, error) {
	return nil, errDenied
}

func (deniedCluster) ProcessNames(context.Context, string, string) ([]string, error) {
	return nil, errDenied
}

func (deniedCluster) GetPods(context.Context, string, string) ([]corev1.Pod, error) {
	return nil, errDenied
}
func (deniedCluster) GetDeployment(_ context.Context, ns, name string) (*appsv1.Deployment, error) {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}}, nil
}
func (deniedCluster) GetCronJob(context.Context, string, string) (*batchv1.CronJob, error) {
	return nil, errDenied
}
func (deniedCluster) ProcessWorkloads(context.Context, string, string) (*k8s.Inventory, error) {
	return &k8s.Inventory{}, errDenied
}
func (deniedCluster) Revisions(context.Context, *appsv1.Deployment) ([]k8s.Revision, error) {
	return nil, errDenied
}

// A denied request offers no values and reports no error. Values returned together with an error are offered.
func TestRefusalsAreSilent(t *testing.T) {
	ctx := t.Context()
	if got := texts(InCluster(ctx, deniedCluster{}, "default")); !slices.Equal(got, []string{"shop"}) {
		t.Errorf("apps: %q", got)
	}
	for name, got := range map[string][]Value{
		"namespaces": Namespaces(ctx, deniedCluster{}), "pods": Pods(ctx, deniedCluster{}, "default", "shop"),
		"containers": Containers(ctx, deniedCluster{}, "default", "shop"),
		"revisions":  Revisions(ctx, deniedCluster{}, "default", "shop", false),
	} {
		if len(got) > 0 {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// norn invoke offers function apps only, by the infraspecs on disk.
func TestFunctions(t *testing.T) {
	apps := t.TempDir()
	for name, role := range map[string]string{"resize": "function", "shop": "worker", "broken": "functoin"} {
		if err := os.Mkdir(filepath.Join(apps, name), 0o700); err != nil {
			t.Fatal(err)
		}
		text := []byte("app: " + name + "\nrole: " + role + "\n")
		if err := os.WriteFile(filepath.Join(apps, name, "infraspec.yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := Functions(apps); len(got) != 1 || got[0].Text != "resize" {
		t.Errorf("offers %v", got)
	}
}
