package control

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/test/bed"
)

// twoClusters is an app whose staging is in one cluster, and whose production is in another. The kubeconfig has both,
// and its current context is that of staging.
type twoClusters struct {
	staging, production *bed.Workspace
	kubeconfig          string
}

func newTwoClusters(t *testing.T) *twoClusters {
	t.Helper()
	c := &twoClusters{staging: bed.New(t, bed.ControlPlane(t)), production: bed.New(t, bed.OwnControlPlane(t))}
	c.staging.PretendToRun()
	c.production.PretendToRun()
	c.kubeconfig = fmt.Sprintf("%s:%s", c.context(c.staging, "here"), c.context(c.production, "there"))
	c.staging.WriteApp("shop", fmt.Sprintf(workerApp+`environments:
  staging: {namespace: %s}
  production: {namespace: %s, protected: true}
`, c.staging.Namespace, c.production.Namespace))
	c.run(t, "env", "pin", "shop", "staging", "--context", "here")
	c.run(t, "env", "pin", "shop", "production", "--context", "there")
	return c
}

// context writes a kubeconfig for a workspace's cluster, with other names for its context and user.
// In a merged kubeconfig, the first of two users with the same name counts.
func (c *twoClusters) context(w *bed.Workspace, name string) string {
	w.T.Helper()
	data, err := os.ReadFile(w.Kubeconfig)
	if err != nil {
		w.T.Fatal(err)
	}
	path := filepath.Join(c.staging.Home, name+".kubeconfig")
	renamed := strings.NewReplacer("devcluster", name, "user: admin", "user: "+name, "name: admin", "name: "+name).
		Replace(string(data))
	if err := os.WriteFile(path, []byte(renamed), 0o600); err != nil {
		w.T.Fatal(err)
	}
	return path
}

// run runs norn with both clusters. It must succeed.
func (c *twoClusters) run(t *testing.T, args ...string) string {
	t.Helper()
	return c.with(t, nil, 0, args...)
}

// with runs norn with more environment variables.
func (c *twoClusters) with(t *testing.T, env []string, code int, args ...string) string {
	t.Helper()
	cmd := c.staging.Tool(c.kubeconfig, bed.Norn(t), args...)
	cmd.Env = append(append(cmd.Env, "NORN_APPS_DIR="+c.staging.Home), env...)
	out, _ := cmd.CombinedOutput() // the exit code is checked
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("%s norn %s: exit code %d, want %d:\n%s", env, strings.Join(args, " "), got, code, out)
	}
	return string(out)
}

// An app with an environment in each of two clusters never lands in the wrong one, and goes from one to the other.
func TestTwoClusters(t *testing.T) {
	t.Parallel()
	c := newTwoClusters(t)
	t.Run("mistaken", c.mistaken)
	t.Run("promoted", c.promoted)
}

// mistaken checks that each way to take one cluster for the other is refused, and changes nothing in either.
func (c *twoClusters) mistaken(t *testing.T) {
	here, there := filepath.Join(c.staging.Home, "here.kubeconfig"), filepath.Join(c.staging.Home, "there.kubeconfig")
	first := image("first")
	for _, way := range []struct {
		code int
		env  string
		args string
	}{
		{5, "", "forge shop --env staging --context there"},
		{5, "", "forge shop --env production --context here --yes"},
		{5, "", "forge shop --env production --yes"}, // the kubeconfig's current context
		{5, "NORN_ENV=production", "forge shop --yes"},
		{5, "KUBECONFIG=" + there, "forge shop --env staging"},
		{5, "KUBECONFIG=" + there + ":" + here, "forge shop --env staging"}, // merged the other way around
		{5, "", "forge shop --env staging --kubeconfig " + there},
		{5, "", "diff shop --env staging --context there"},
		{5, "", "deploy shop --env staging --context there --image " + first},
		{5, "", "deploy shop --env production --yes --image " + first},
		{5, "", "restart shop --env production --yes"},
		{5, "", "rollback shop --env production --yes"},
		{5, "", "run shop --env production --yes -- /bin/true"},
		{5, "", "teardown shop --env production --yes"},
		{5, "", "status shop --env production"},
		{5, "", "logs shop --env production"},
		{5, "", "promote shop --from staging --to production --yes"},
		{5, "", "promote shop --from staging --from-context there --to production --context there --yes"},
		{2, "", "forge shop --context there"}, // no environment is chosen
		{2, "", "forge shop --env prodction --context there --yes"},
	} {
		var env []string
		if way.env != "" {
			env = append(env, way.env)
		}
		out := c.with(t, env, way.code, strings.Fields(way.args)...)
		if way.code == 5 && !strings.Contains(out, "is not the cluster of environment") {
			t.Errorf("%s norn %s does not name the cluster:\n%s", way.env, way.args, out)
		}
	}
	for _, w := range []*bed.Workspace{c.staging, c.production} {
		if got := w.Kubectl("get", "deployments,secrets,leases,jobs,services", "-o", "name"); got != "" {
			t.Errorf("left in %s: %s", w.Namespace, got)
		}
	}
}

// promoted checks that what runs in one cluster goes to the other as it is.
func (c *twoClusters) promoted(t *testing.T) {
	c.run(t, "deploy", "shop", "--env", "staging", "--context", "here", "--image", image("first"))
	promote := []string{"promote", "shop", "--from", "staging", "--from-context", "here",
		"--to", "production", "--context", "there", "--yes"}
	c.run(t, promote...)
	images := map[string]string{}
	for env, context := range map[string]string{"staging": "here", "production": "there"} {
		out := c.run(t, "history", "shop", "--env", env, "--context", context, "-o", "json")
		var entry struct{ Image string }
		if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &entry); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		images[env] = entry.Image
	}
	if images["staging"] != image("first") || images["production"] != images["staging"] {
		t.Errorf("the images are %v", images)
	}
	if out := c.run(t, promote...); !strings.Contains(out, "rollout unchanged") {
		t.Errorf("a second promotion changes something:\n%s", out)
	}
}
