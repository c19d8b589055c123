// Package ci runs the files in docs/ci like their CI systems.
package ci

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// pipelineJob is a job of a CI file: shell steps with their variables.
type pipelineJob []pipelineStep

type pipelineStep struct {
	script string
	env    map[string]string
}

// ciSystem is a CI system with files in docs/ci.
type ciSystem struct {
	name      string
	job       func(t *testing.T, name string) pipelineJob  // of one of the files
	variables func(*ciRun) (set, values map[string]string) // the environment; values for the file
}

// TestCI runs the steps of the files in docs/ci in a shell.
func TestCI(t *testing.T) {
	for _, system := range systems() {
		t.Run(system.name, func(t *testing.T) {
			t.Parallel()
			r := newCIRun(t, system)
			if code := r.run("validate"); code != 0 {
				t.Fatalf("validate: exit code %d", code)
			}
			if code := r.run("deploy"); code != 0 {
				t.Fatalf("deploy: exit code %d", code)
			}
			image := r.cluster.Kubectl(t, "-n", r.namespace, "get", "deployment", "hello", "-o",
				"jsonpath={.status.availableReplicas} {.spec.template.spec.containers[0].image}")
			if !strings.HasPrefix(image, "1 "+r.cluster.Registry+"/") {
				t.Errorf("replicas and image in the cluster: %s", image)
			}
			r.commit("infraspec.yaml", "app: hello\nrole: webserver\nport: 8080\nhealthchek: /healthz\n")
			if code := r.run("validate"); code != 2 {
				t.Errorf("validate with an invalid infraspec: exit code %d", code)
			}
			if code := r.run("deploy"); code != 2 {
				t.Errorf("deploy with an invalid infraspec: exit code %d", code)
			}
			r.sum = strings.Repeat("0", 64)
			if code := r.run("validate"); code != 1 || strings.Contains(r.output, "healthchek") {
				t.Errorf("wrong checksum: exit code %d, and norn may have run: %s", code, r.output)
			}
		})
	}
}

func systems() []ciSystem {
	return []ciSystem{{"GitHub", gitHubJob, gitHubVariables}, {"GitLab", gitLabJob, gitLabVariables}}
}

// ciRun is an app's repository, a release of norn, and a namespace to deploy to.
type ciRun struct {
	t         *testing.T
	system    ciSystem
	home      string   // home folder of the runner
	builder   []string // environment of the runner
	origin    string
	cluster   *bed.Cluster
	namespace string
	releases  string // URL
	sum       string
	output    string // output of the last step
	action    string // what happened to the pull request, for GitHub
	comments  *comments
}

func newCIRun(t *testing.T, system ciSystem) *ciRun {
	c := bed.Shared(t)
	r := &ciRun{
		t: t, system: system, home: t.TempDir(), builder: bed.BuilderEnv(t), cluster: c,
		namespace: c.Namespace(t, "ci"), comments: newComments(t),
	}
	r.release()
	bed.WriteFiles(t, r.home, map[string]string{
		".config/containers/registries.conf": fmt.Sprintf("[[registry]]\nlocation = %q\ninsecure = true\n", c.Registry),
	})
	r.origin = filepath.Join(t.TempDir(), "hello")
	bed.CopyApp(t, "hello", r.origin)
	bed.Git(t, r.origin, "init", "-q", "-b", "main")
	r.commit("README.md", "the app of this pipeline\n")
	return r
}

// release serves an archive like the ones that make release builds.
func (r *ciRun) release() {
	dir := r.t.TempDir()
	const name = "norn_1.0.0_linux_amd64"
	for _, args := range [][]string{
		{"mkdir", "-p", filepath.Join(dir, name), filepath.Join(dir, "v1.0.0")},
		{"cp", bed.Norn(r.t), filepath.Join(dir, name, "norn")},
		{"tar", "-czf", filepath.Join(dir, "v1.0.0", name+".tar.gz"), "-C", dir, name},
	} {
		bed.Run(r.t, exec.Command(args[0], args[1:]...))
	}
	archive, err := os.ReadFile(filepath.Join(dir, "v1.0.0", name+".tar.gz"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.sum = fmt.Sprintf("%x", sha256.Sum256(archive))
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	r.t.Cleanup(server.Close)
	r.releases = server.URL
}

func (r *ciRun) commit(file, text string) {
	r.t.Helper()
	bed.WriteFiles(r.t, r.origin, map[string]string{file: text})
	bed.Commit(r.t, r.origin, "change "+file)
}

// run checks out the last commit like a CI system, and runs a job's steps until one fails. It returns the exit code of
// the last step.
func (r *ciRun) run(job string) int {
	r.t.Helper()
	work, temp := filepath.Join(r.t.TempDir(), "work"), r.t.TempDir()
	bed.Run(r.t, exec.Command("git", "clone", "-q", "--depth", "1", "file://"+r.origin, work))
	bed.Run(r.t, exec.Command("git", "-C", work, "checkout", "-q", "--detach"))
	variables := map[string]string{
		"HOME": r.home, "PATH": os.Getenv("PATH"), "XDG_RUNTIME_DIR": temp, "RUNNER_TEMP": temp, "CI": "true",
	}
	for _, kv := range r.builder {
		if name, value, _ := strings.Cut(kv, "="); name != "NORN_BUILDER" { // the file itself must choose it
			variables[name] = value
		}
	}
	for _, file := range []string{"GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
		variables[file] = filepath.Join(temp, file)
	}
	set, values := r.system.variables(r)
	for _, step := range r.system.job(r.t, job) {
		env := maps.Clone(variables)
		maps.Copy(env, set)
		for name, value := range step.env {
			env[name] = expand(r.t, value, values)
		}
		maps.Copy(env, map[string]string{"NORN_RELEASES": r.releases, "NORN_SHA256": r.sum})
		if code := r.shell(work, step.script, env); code != 0 {
			return code
		}
		for _, line := range lines(variables["GITHUB_ENV"]) {
			name, value, _ := strings.Cut(line, "=")
			variables[name] = value
		}
		for _, dir := range lines(variables["GITHUB_PATH"]) {
			variables["PATH"] = dir + ":" + variables["PATH"]
		}
	}
	return 0
}

// shell runs a step and checks that its output contains no secrets.
func (r *ciRun) shell(dir, script string, env map[string]string) int {
	r.t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir = dir
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	out, err := cmd.CombinedOutput()
	r.output = string(out)
	for _, secret := range []string{"AGE-SECRET-KEY", "norn-sample-token", "canary-password"} {
		if strings.Contains(r.output, secret) {
			r.t.Errorf("the output contains %s", secret)
		}
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		r.t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Logf("exit code %d of:\n%s\n%s", code, script, out)
	}
	return cmd.ProcessState.ExitCode()
}

func lines(path string) []string {
	text, _ := os.ReadFile(path) // the file might not exist
	return strings.Fields(string(text))
}

// readCI reads one of the files in docs/ci.
func readCI(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

var expression = regexp.MustCompile(`\$\{\{ (?:secrets|vars|github[a-z_.]*)\.(\w+) \}\}|\$(\w+)`)

// expand replaces GitHub's expressions or GitLab's variables with their values.
func expand(t *testing.T, text string, given map[string]string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(m string) string {
		names := expression.FindStringSubmatch(m)
		value, ok := given[names[1]+names[2]]
		if !ok {
			t.Fatalf("docs/ci.md does not list %s", m)
		}
		return value
	})
}

func gitHubJob(t *testing.T, name string) pipelineJob {
	var file struct {
		Env  map[string]string
		Jobs map[string]struct {
			Env   map[string]string
			Steps []struct {
				Run, If string
				Env     map[string]string
			}
		}
	}
	readCI(t, "github.yml", &file)
	if _, ok := file.Jobs[name]; !ok {
		readCI(t, "github-previews.yml", &file)
	}
	var job pipelineJob
	for _, s := range file.Jobs[name].Steps {
		env := maps.Clone(file.Env)
		maps.Copy(env, file.Jobs[name].Env)
		maps.Copy(env, s.Env)
		if s.Run != "" && s.If == "" {
			job = append(job, pipelineStep{s.Run, env})
		}
	}
	return job
}

func gitHubVariables(r *ciRun) (set, values map[string]string) {
	set = map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/main", "GITHUB_ACTOR": "somebody", "GITHUB_RUN_ID": "1",
	}
	return set, map[string]string{
		"KUBECONFIG": r.file(r.cluster.Kubeconfig), "NAMESPACE": r.namespace, "SOPS_AGE_KEY": r.key(),
		"REGISTRY": r.cluster.Registry, "REGISTRY_USER": "me", "REGISTRY_PASSWORD": "canary-password",
		"number": "7", "action": r.action, "comments_url": r.comments.URL, "token": "canary-password",
	}
}

func gitLabJob(t *testing.T, name string) pipelineJob {
	type job struct {
		Variables map[string]string
		Before    []string `yaml:"before_script"`
		Script    []string
		Extends   string
	}
	var variables struct{ Variables map[string]string }
	readCI(t, "gitlab-ci.yml", &variables)
	var nodes map[string]yaml.Node
	readCI(t, "gitlab-ci.yml", &nodes)
	readCI(t, "gitlab-previews.yml", &nodes)
	decoded := func(name string) (j job) {
		node := nodes[name]
		if err := node.Decode(&j); err != nil {
			t.Fatal(err)
		}
		return j
	}
	j := decoded(name)
	base := decoded(j.Extends)
	env := maps.Clone(variables.Variables)
	maps.Copy(env, base.Variables)
	maps.Copy(env, j.Variables)
	return pipelineJob{{strings.Join(append(base.Before, j.Script...), "\n"), env}}
}

func gitLabVariables(r *ciRun) (set, values map[string]string) {
	kubeconfig := filepath.Join(r.home, "kubeconfig")
	bed.WriteFiles(r.t, r.home, map[string]string{"kubeconfig": r.file(r.cluster.Kubeconfig)})
	registry := r.cluster.Registry
	set = map[string]string{
		"GITLAB_CI": "true", "CI_JOB_ID": "1", "CI_COMMIT_BRANCH": "main", "GITLAB_USER_LOGIN": "somebody",
		"KUBECONFIG": kubeconfig, "NORN_NAMESPACE": r.namespace, "SOPS_AGE_KEY": r.key(),
		"CI_REGISTRY": registry, "CI_REGISTRY_IMAGE": registry + "/group",
		"CI_REGISTRY_USER": "me", "CI_REGISTRY_PASSWORD": "canary-password",
		"CI_MERGE_REQUEST_IID": "7", "CI_PROJECT_ID": "3", "CI_API_V4_URL": r.comments.URL, "NOTES_TOKEN": "canary-password",
	}
	return set, set
}

func (r *ciRun) file(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// key returns the sample app's age key.
func (r *ciRun) key() string {
	return regexp.MustCompile(`AGE-SECRET-KEY-\w+`).FindString(r.file(filepath.Join(r.origin, "test-key.txt")))
}
