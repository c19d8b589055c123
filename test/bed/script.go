package bed

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command implements a testscript command.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// Scripts returns the parameters for running the scripts in dir on a cluster, each script in its own namespace.
func Scripts(t *testing.T, c *Cluster, dir string) testscript.Params {
	s := &scripts{
		t: t, cluster: c, root: Root(t), norn: Norn(t), kubectl: Kubectl(t), binaries: needs(t, "NORN_TEST_BINARIES"),
		goCache: goCache(),
	}
	return testscript.Params{
		Dir: dir, Setup: s.setup, RequireExplicitExec: true, Condition: s.condition,
		Cmds: map[string]Command{
			"app": s.app, "image": s.image, "mood": mood,
			"exits": exits, "jsonlines": s.jsonlines, "waitfor": waitfor, "until": until,
			"written": written, "get": get, "poll": s.poll, "calls": s.calls,
			"locked-registry": s.lockedRegistry, "postgres": s.postgres, "sql": s.sql,
		},
	}
}

// OfflineScripts returns the parameters for running the scripts in dir without a cluster.
func OfflineScripts(t *testing.T, dir string) testscript.Params {
	s := &scripts{t: t, root: Root(t), norn: Norn(t)}
	return testscript.Params{
		Dir: dir, Setup: s.setupOffline, RequireExplicitExec: true,
		Cmds: map[string]Command{"exits": exits, "jsonlines": s.jsonlines},
	}
}

// scripts holds the state that the scripts of a folder share.
type scripts struct {
	t                  *testing.T
	cluster            *Cluster
	root, norn         string
	kubectl, binaries  string
	goCache            string   // Go's build cache, for scripts that compile
	pollers, databases sync.Map // by namespace
}

// condition implements the conditions policies, the API server has MutatingAdmissionPolicies, and all, see All.
func (s *scripts) condition(name string) (bool, error) {
	switch name {
	case "policies":
		return s.kubectlRun("get", "mutatingadmissionpolicies.v1.admissionregistration.k8s.io") == nil, nil
	case "all":
		return All(), nil
	default:
		return false, fmt.Errorf("unknown condition %q", name)
	}
}

// setup creates a script's namespace, and sets environment variables with which norn finds the cluster and a builder.
func (s *scripts) setup(env *testscript.Env) error {
	suffix := make([]byte, 4)
	if _, err := rand.Read(suffix); err != nil {
		return err
	}
	namespace := "session-" + hex.EncodeToString(suffix)
	if err := s.cluster.createNamespace(namespace); err != nil {
		return err
	}
	env.Defer(func() {
		if err := s.cluster.deleteNamespace(namespace); err != nil {
			env.T().Log(err)
		}
	})
	builder, remove, err := builderEnv()
	if err != nil {
		return err
	}
	env.Defer(remove)
	path := []string{filepath.Dir(s.norn), filepath.Dir(s.kubectl), env.Getenv("PATH")}
	for _, kv := range append(append(builder, noInternet...),
		"KUBECONFIG="+s.cluster.Kubeconfig,
		"NAMESPACE="+namespace,
		"REPOSITORY="+s.root,
		"NORN_NAMESPACE="+namespace,
		"NORN_REGISTRY_URL="+s.cluster.Registry,
		"NORN_APPS_DIR="+env.WorkDir,
		"NORN_BINARY="+s.norn,
		"SOPS_AGE_KEY_FILE="+filepath.Join(env.WorkDir, "hello", "test-key.txt"),
		"HOME="+env.WorkDir,
		"GOCACHE="+s.goCache,
		"GIT_CONFIG_COUNT=2",
		"GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=test",
		"GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1="+namespace+"@localhost", // see Git
		"DEVCLUSTER_DIR="+s.cluster.Dir,
		"PATH="+strings.Join(path, string(filepath.ListSeparator)),
	) {
		name, value, _ := strings.Cut(kv, "=")
		env.Setenv(name, value)
	}
	return nil
}

// setupOffline sets a script's home folder, and starts the script in an apps folder inside that home folder.
func (s *scripts) setupOffline(env *testscript.Env) error {
	env.Cd = filepath.Join(env.WorkDir, "apps")
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("KUBECONFIG", "")
	env.Setenv("NORN_APPS_DIR", env.Cd)
	env.Setenv("PATH", filepath.Dir(s.norn)+string(filepath.ListSeparator)+env.Getenv("PATH"))
	return os.MkdirAll(env.Cd, 0o755)
}

func (s *scripts) kubectlRun(args ...string) error {
	args = append([]string{"--kubeconfig", s.cluster.Kubeconfig}, args...)
	out, err := exec.Command(s.kubectl, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

func goCache() string {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
