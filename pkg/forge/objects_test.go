package forge

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"norn/pkg/infraspec"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestObjects compares what each infraspec in testdata/golden asks for with the manifests beside it.
func TestObjects(t *testing.T) {
	specs, err := filepath.Glob("testdata/golden/*.infraspec.yaml")
	if err != nil || len(specs) == 0 {
		t.Fatalf("no specs: %v", err)
	}
	for _, path := range specs {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".infraspec.yaml"), func(t *testing.T) {
			spec, _, err := infraspec.Load(path)
			if err != nil {
				t.Fatal(err)
			}
			got := manifests(t, spec)
			golden := strings.TrimSuffix(path, ".infraspec.yaml") + ".objects.yaml"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("objects differ from %s (write it anew with -update); got:\n%s", golden, got)
			}
		})
	}
}

// manifests are the objects as forge sends them before the first deploy.
func manifests(t *testing.T, spec *infraspec.Spec) string {
	t.Helper()
	s := Settings{Namespace: "default", PostgresHost: "db.example.com", PostgresUser: "norn"}
	deployment, err := Deployment(spec, s, BeforeFirstDeploy(spec.App))
	if err != nil {
		t.Fatal(err)
	}
	var objects []any
	for _, c := range Claims(spec, s) {
		objects = append(objects, c)
	}
	objects = append(objects, deployment)
	if svc := Service(spec, s); svc != nil {
		objects = append(objects, svc)
	}
	var out strings.Builder
	for _, o := range objects {
		data, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n" + string(data))
	}
	return out.String()
}

// After the first deploy, forge leaves to it what is its own.
func TestDeploymentAfterDeploy(t *testing.T) {
	spec, _, err := infraspec.Load("testdata/golden/webserver.infraspec.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Deployment(spec, Settings{Namespace: "default"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := d.Spec.Template.Spec.Containers[0]
	if d.Spec.Paused != nil || c.Image != nil || c.ImagePullPolicy != nil {
		t.Errorf("paused %v, image %v, pull policy %v are sent", d.Spec.Paused, c.Image, c.ImagePullPolicy)
	}
}
