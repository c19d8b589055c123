package objects

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

var update = flag.Bool("update", false, "update the golden files")

// TestObjects compares the objects of each infraspec in testdata/golden with the manifests next to it.
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
			objects, err := All(spec, Settings{Namespace: "default", PostgresHost: "db.example.com", PostgresUser: "norn"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := Manifests(objects)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(path, ".infraspec.yaml") + ".objects.yaml"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("objects differ from %s (update it with -update); got:\n%s", golden, got)
			}
		})
	}
}

// A generated DATABASE_URL reaches the container as generated, too.
func TestDatabaseURLIsLiteral(t *testing.T) {
	spec := &infraspec.Spec{App: "shop"}
	spec.Services.Postgres = &infraspec.Postgres{Database: "a$$(b)"}
	env := environment(spec, Settings{PostgresHost: "db", PostgresUser: "$(u)"})
	const want = "postgres://$$%28u%29@db:5432/a$$$$%28b%29?sslmode=disable"
	if got := *env[0].Value; strings.ReplaceAll(strings.ReplaceAll(got, "(", "%28"), ")", "%29") != want {
		t.Errorf("DATABASE_URL is %s; want %s", got, want)
	}
}

// After the first deploy, forge does not send the fields that the deploy owns.
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
		t.Errorf("paused %v, image %v, pull policy %v; want all unset", d.Spec.Paused, c.Image, c.ImagePullPolicy)
	}
}
