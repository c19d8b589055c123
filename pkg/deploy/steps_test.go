package deploy

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/connect"
	"norn/pkg/pipeline"
)

func parse(t *testing.T, text string) *infraspec.Spec {
	t.Helper()
	spec, _, err := infraspec.Parse("/apps/shop/infraspec.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// plan returns the text of a step's plan, and checks that the step also has a Run.
func plan[T any](t *testing.T, s pipeline.Step[T]) string {
	t.Helper()
	if s.Run == nil || s.Plan == nil {
		t.Fatalf("step %s has no plan or no run", s.Name)
	}
	_, result, err := s.Plan(t.Context(), io.Discard)
	switch {
	case err != nil || result.State != pipeline.Planned && result.State != pipeline.Skipped:
		t.Errorf("plan of %s: %v, error %v", s.Name, result, err)
	case result.State == pipeline.Skipped:
		return s.Name + " skipped: " + result.Detail
	}
	return s.Name + ": " + result.Detail
}

const full = `
app: shop
role: worker
replicas: 2
build: {test: make test}
migrations: {command: [migrate, up], database: shop}
secrets: [B, A]
`

// A dry run reports what each step would do.
func TestPlans(t *testing.T) {
	local := connect.LocalCluster{Kind: "kind", Name: "dev"}
	made, tree := built{name: "r.example.com/shop:1"}, source.Tree{Commit: "0123456789abcdef"}
	for _, c := range []struct {
		name, spec string
		options    Options
		local      connect.LocalCluster
		shipment   shipment
		want       []string
	}{
		{
			"everything", full, Options{Version: Version{Registry: "r.example.com"}}, connect.LocalCluster{},
			shipment{sourced: sourced{tree: tree}, image: made.name},
			[]string{
				"push: to r.example.com", "test: make test", "snapshot: pg_dump of shop into /apps/shop/snapshots",
				"migrate: migrate up", "secrets: B, A", "rollout: 2 Pods of r.example.com/shop:1 instead of nothing",
				"cleanup: removes images beyond the newest 5",
			},
		},
		{
			"nothing to do", "app: shop\nrole: worker\n", Options{}, local,
			shipment{sourced: sourced{live: runningImage(made.name), tree: tree}, image: made.name},
			[]string{
				"load: into kind dev", "test skipped: the infraspec has no build.test",
				"snapshot skipped: the infraspec has no migrations.command",
				"migrate skipped: the infraspec has no migrations.command", "secrets skipped: the infraspec declares no secrets",
				"rollout: r.example.com/shop:1 is already running", "cleanup: removes images beyond the newest 5",
			},
		},
		{
			"the running commit", full, Options{Version: Version{Registry: "r.example.com"}}, connect.LocalCluster{},
			shipment{sourced: sourced{live: runningImage(made.name + "@sha256:1"), tree: tree}},
			[]string{
				"push: to r.example.com; the running image was built from this commit", "test: make test",
				"snapshot skipped: this version is already running", "migrate skipped: this version is already running",
				"secrets: B, A", "rollout: r.example.com/shop:1@sha256:1 is already running",
			},
		},
		{
			"the running commit, uncommitted changes", full, Options{Version: Version{Registry: "r.example.com"}},
			connect.LocalCluster{},
			shipment{sourced: sourced{
				live: runningImage(made.name + "@sha256:1"),
				tree: source.Tree{Commit: "0123456789abcdef", Dirty: true},
			}},
			[]string{
				"push: to r.example.com", "test: make test", "snapshot: pg_dump of shop into /apps/shop/snapshots",
				"migrate: migrate up", "secrets: B, A",
				"rollout: 2 Pods of r.example.com/shop:1 instead of r.example.com/shop:1@sha256:1",
			},
		},
		{
			"--image", full,
			Options{Version: Version{Image: made.name, Registry: "r.example.com"}, SkipSnapshot: true}, connect.LocalCluster{},
			shipment{sourced: sourced{live: liveApp{liveWorkload: liveWorkload{image: "old:1"}}}, image: made.name},
			[]string{
				"push skipped: --image", "test skipped: --image", "snapshot skipped: --skip-snapshot", "migrate: migrate up",
				"secrets: B, A", "rollout: 2 Pods of r.example.com/shop:1 instead of old:1",
				"cleanup skipped: nothing was built",
			},
		},
		{
			"processes, one new and one dropped", "app: shop\nrole: worker\nprocesses: {mailer: {}, worker: {replicas: 2}}\n",
			Options{Version: Version{Image: made.name}}, connect.LocalCluster{},
			shipment{sourced: sourced{live: liveApp{
				liveWorkload: liveWorkload{kind: "Deployment", image: "old:1"},
				processes:    []liveWorkload{{}, {kind: "Deployment"}}, dropped: []string{"clock"},
			}}, image: made.name},
			[]string{
				"push skipped: --image", "test skipped: --image", "snapshot skipped: the infraspec has no migrations.command",
				"migrate skipped: the infraspec has no migrations.command", "secrets skipped: the infraspec declares no secrets",
				"rollout: main: 1 Pod, new mailer: 1 Pod, worker: 2 Pods of r.example.com/shop:1 instead of old:1; process " +
					"clock ends, because the infraspec no longer has it",
				"cleanup skipped: nothing was built",
			},
		},
		{
			"cron", "app: shop\nrole: cron\nschedule: '@daily'\ncommand: [run]\n",
			Options{Version: Version{Image: made.name}}, connect.LocalCluster{},
			shipment{sourced: sourced{live: liveApp{liveWorkload: liveWorkload{image: "old:1"}}}, image: made.name},
			[]string{
				"push skipped: --image", "test skipped: --image", "snapshot skipped: the infraspec has no migrations.command",
				"migrate skipped: the infraspec has no migrations.command", "secrets skipped: the infraspec declares no secrets",
				"rollout: the next run uses r.example.com/shop:1, the last used old:1",
				"cleanup skipped: nothing was built",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &run{spec: parse(t, c.spec), options: c.options, local: c.local, dir: "/apps/shop"}
			made := made
			if c.options.Image == "" {
				made.builder = struct{ image.Builder }{}
			}
			deliver := r.deliver(c.shipment.sourced, made)
			if c.shipment.image == "" {
				c.shipment.image, _, _ = deliver.Plan(t.Context(), io.Discard)
			}
			got := []string{
				plan(t, deliver), plan(t, r.test(tree)),
				plan(t, r.snapshot(c.shipment)), plan(t, r.migrate(c.shipment, "")), plan(t, r.secrets(sourced{})), plan(
					t, r.rollout(c.shipment, "", ""),
				), plan(t, r.cleanup(sourced{}, made, secretState{})),
			}
			for i, want := range c.want {
				if got[i] != want {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}

// A dry run also reads the source. With --image, the build step passes on the given image.
func TestSourceAndBuildHavePlans(t *testing.T) {
	r := &run{spec: parse(t, full), options: Options{Version: Version{Image: "shop:1"}}}
	if s := r.source(); s.Name != "source" || s.Run == nil || s.Plan == nil {
		t.Errorf("source: %+v", s)
	}
	step := r.build(sourced{})
	for name, do := range map[string]pipeline.Func[built]{"run": step.Run, "plan": step.Plan} {
		if made, _, err := do(t.Context(), io.Discard); made.name != "shop:1" || made.builder != nil || err != nil {
			t.Errorf("%s made %+v, error %v", name, made, err)
		}
	}
}

// buildArgs warns if norn's own build args are not what a Dockerfile expects.
func TestBuildArgs(t *testing.T) {
	whole := source.Tree{Commit: "0123456789abcdef", Number: "7"}
	shallow := whole
	shallow.Shallow = true
	for _, c := range []struct {
		text          string
		tree          source.Tree
		args, warning string
	}{
		{"FROM x\nARG BUILD_NUMBER\n", whole, "VERSION=0123456789ab BUILD_NUMBER=7", ""},
		{"FROM x\nARG BUILD_NUMBER\n", shallow, "VERSION=0123456789ab BUILD_NUMBER=7", "BUILD_NUMBER is 7, which is too low"},
		{"FROM x\n", shallow, "VERSION=0123456789ab BUILD_NUMBER=7", ""},
		{"ARG VERSION=3\nFROM x:$VERSION\n", whole, "BUILD_NUMBER=7", "norn does not pass its own VERSION"},
	} {
		path := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		got := strings.Join(buildArgs(&out, path, c.tree), " ")
		if got != c.args || !strings.Contains(out.String(), c.warning) || c.warning == "" && out.Len() > 0 {
			t.Errorf("%q: %s with %q", c.text, got, out.String())
		}
	}
}

// runningImage returns an app that runs an image.
func runningImage(image string) liveApp {
	return liveApp{liveWorkload: liveWorkload{image: image, verified: true, commit: "0123456789abcdef"}}
}
