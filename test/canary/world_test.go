package canary

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"norn/test/bed"
)

// canaryWorld is an app whose build, test and Pods print its secrets in all forms. It has its own home, temporary and
// work folders.
type canaryWorld struct {
	*bed.Workspace
	root   string
	app    string // the app's folder
	env    []string
	values map[string]string
	words  map[string]string
	forms  map[string]string    // forms of the values, by description
	starts [1 << 16][]string    // the descriptions, by the first two bytes of the form
	seen   map[string]time.Time // modification times of the searched files, by path

	running map[string]process // by pid
	scans   int                // number of scans of the processes
}

func newCanaryWorld(t *testing.T) *canaryWorld {
	a := &canaryWorld{Workspace: bed.New(t, bed.Shared(t)), root: t.TempDir(), seen: map[string]time.Time{}}
	a.app = filepath.Join(a.root, "work", "parrot")
	outside := t.TempDir() // not searched, because it contains the values
	for _, dir := range []string{"home", "tmp", "run", "bin", "fail"} {
		if err := os.MkdirAll(filepath.Join(a.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	a.plant()
	a.write(filepath.Join(outside, "echo"), a.output())
	buildah, err := exec.LookPath("buildah")
	if err != nil {
		t.Skip("buildah is not installed")
	}
	a.write(filepath.Join(a.root, "bin", "buildah"), strings.ReplaceAll(fakeBuildah, "BUILDAH", buildah))
	a.env = append(bed.BuilderEnv(t),
		"HOME="+a.root+"/home", "TMPDIR="+a.root+"/tmp", "XDG_RUNTIME_DIR="+a.root+"/run",
		"KUBECONFIG="+a.Kubeconfig, "NORN_NAMESPACE="+a.Namespace,
		"NORN_REGISTRY_URL="+a.Registry, "NORN_APPS_DIR="+a.root+"/work",
		"CANARY_ECHO="+outside+"/echo", "CANARY_FAIL="+a.root+"/fail", "EDITOR=sh -c 'echo \"# edited\" >>\"$1\"' edit",
		"PATH="+a.root+"/bin:"+os.Getenv("PATH"),
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=test",
		"GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1=test@localhost",
	)
	bed.CopyApp(t, "parrot", a.app)
	a.shell("git init -q && git add -A && git commit -q -m first")
	return a
}

// fakeBuildah prints the values, and fails on request. Otherwise it runs the real buildah.
const fakeBuildah = `#!/bin/sh
dd if="$CANARY_ECHO" bs=5 2>/dev/null
base64 "$CANARY_ECHO" >&2
test ! -e "$CANARY_FAIL/$1" || { echo broken; exit 1; }
exec BUILDAH "$@"
`

func (a *canaryWorld) write(path, text string) {
	a.T.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		a.T.Fatal(err)
	}
}

func (a *canaryWorld) shell(line string) {
	a.T.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env = a.app, a.env
	if out, err := cmd.CombinedOutput(); err != nil {
		a.T.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// run runs one command, and searches for the values everywhere.
func (a *canaryWorld) run(r row) {
	a.T.Helper()
	if r.before != nil {
		r.before()
	}
	cmd := exec.Command(bed.Norn(a.T), split(r.args)...)
	cmd.Dir, cmd.Env = a.app, a.env
	cmd.Stdin = strings.NewReader(r.stdin)
	if r.colors {
		cmd.Env = append(slices.Clone(a.env), "CLICOLOR_FORCE=1")
	}
	var out, results bytes.Buffer
	both := &sharedWriter{w: &out}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&results, both), both
	ctx, stop := context.WithCancel(a.T.Context())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for ctx.Err() == nil {
			a.searchProcesses(r)
			a.searchFiles(r)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	err := cmd.Run()
	stop()
	<-watched
	what := fmt.Sprintf("%s: norn %s", r.name, r.args)
	if code := cmd.ProcessState.ExitCode(); code != r.code {
		a.T.Fatalf("%s: exit code %d, want %d: %v\n%s", what, code, r.code, err, a.mask(out.String()))
	}
	if r.showsSecret && !strings.Contains(out.String(), "[redacted:") {
		a.T.Errorf("%s: no redacted value in the output:\n%s", what, a.mask(out.String()))
	}
	if strings.Contains(r.args, "-o json") {
		a.checkJSON(what, results.String())
	}
	a.search(what+": output", []byte(ansi.Strip(out.String()))) // a highlight may cut a value in two
	a.searchFiles(r)
	a.checkLeftovers(what)
	a.searchObjects(what)
}

// sharedWriter is a writer for several goroutines.
type sharedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *sharedWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

// checkJSON checks that norn's own words stay in its JSON even if secrets have the same values. In other texts, norn
// must have hidden the secrets.
func (a *canaryWorld) checkJSON(what, results string) {
	a.T.Helper()
	for line := range strings.Lines(results) {
		var event struct{ Event, Step, Text, Message string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			a.T.Errorf("%s: %v:\n%s", what, err, a.mask(line))
		}
		if strings.Contains(event.Event+event.Step, "[redacted:") {
			a.T.Errorf("%s hides words of norn's own:\n%s", what, a.mask(line))
		}
		for name, word := range a.words {
			if strings.Contains(event.Text+event.Message, name+"="+word) {
				a.T.Errorf("%s shows %s:\n%s", what, name, a.mask(line))
			}
		}
	}
}

// follow runs norn logs -f. The result ends it once it has shown a Pod that started later, and searches its output.
func (a *canaryWorld) follow() (end func()) {
	a.T.Helper()
	out, err := os.Create(filepath.Join(a.T.TempDir(), "follow"))
	if err != nil {
		a.T.Fatal(err)
	}
	cmd := exec.Command(bed.Norn(a.T), "logs", "-f", "--timestamps", "--grep", "A", "--grep", "[2-7]")
	cmd.Dir, cmd.Env = a.app, append(slices.Clone(a.env), "CLICOLOR_FORCE=1")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		a.T.Fatal(err)
	}
	text := func() []byte { data, _ := os.ReadFile(out.Name()); return data }
	firsts := func() int { return bytes.Count(text(), []byte("DDRESS=")) }
	bed.Eventually(a.T, time.Minute, "the first Pod is shown", func() bool { return firsts() > 0 })
	before := firsts()
	return func() {
		bed.Eventually(a.T, time.Minute, "a later Pod is shown", func() bool { return firsts() > before })
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		a.search("logs -f across a rotation", []byte(ansi.Strip(string(text()))))
	}
}

// checkLeftovers checks that norn has removed the values that it stores during a run: in its runtime folder, or in
// shared memory, which other tests also use.
func (a *canaryWorld) checkLeftovers(what string) {
	a.T.Helper()
	if left, err := os.ReadDir(filepath.Join(a.root, "run")); err != nil || len(left) > 0 {
		a.T.Errorf("%s left %v %v", what, left, err)
	}
	shared, _ := filepath.Glob("/dev/shm/norn-*")
	for _, dir := range shared {
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
			if data, err := os.ReadFile(path); err == nil { // files of other tests may be gone
				a.search(what+": file "+path, data)
			}
			return nil
		})
	}
}

func split(args string) []string {
	head, tail, found := strings.Cut(args, " -- ")
	words := strings.Fields(head)
	if found {
		words = append(append(words, "--"), strings.Fields(tail)...)
	}
	return words
}

// kinds lists the kinds of objects that a deploy creates, directly or through controllers, except for Secrets.
var kinds = []string{
	"apis/apps/v1/deployments", "apis/apps/v1/replicasets", "apis/apps/v1/controllerrevisions",
	"apis/batch/v1/jobs", "apis/batch/v1/cronjobs", "apis/discovery.k8s.io/v1/endpointslices",
	"apis/coordination.k8s.io/v1/leases", "api/v1/pods", "api/v1/services", "api/v1/persistentvolumeclaims",
	"api/v1/configmaps", "api/v1/events", "api/v1/serviceaccounts",
}

// searchObjects searches all objects of the namespace, except for the data of Secrets.
func (a *canaryWorld) searchObjects(what string) {
	a.T.Helper()
	for _, kind := range kinds {
		a.search(what+": "+kind, a.List(kind))
	}
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal(a.List("api/v1/secrets"), &list); err != nil {
		a.T.Fatal(err)
	}
	for _, secret := range list.Items {
		delete(secret, "data")
	}
	rest, err := json.Marshal(list)
	if err != nil {
		a.T.Fatal(err)
	}
	a.search(what+": Secret", rest)
	if bytes.Contains(rest, []byte("last-applied-configuration")) {
		a.T.Errorf("%s: the Secret has a last-applied-configuration", what)
	}
}

// searchFiles searches all new and changed files.
func (a *canaryWorld) searchFiles(r row) {
	_ = filepath.WalkDir(a.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() { // skip files that have just been deleted
			a.searchFile(fmt.Sprintf("%s: norn %s: file %s", r.name, r.args, path), path, entry)
		}
		return nil
	})
}

func (a *canaryWorld) searchFile(where, path string, entry os.DirEntry) {
	a.T.Helper()
	info, err := entry.Info()
	if err != nil || a.seen[path].Equal(info.ModTime()) {
		return
	}
	if data, err := os.ReadFile(path); err == nil {
		a.seen[path] = info.ModTime()
		a.search(where, data)
	}
}

// process is a running process.
type process struct {
	args  string
	ours  bool // the process descends from this test
	first int  // number of the scan that found it
}

// searchProcesses searches the arguments of all processes, and the environments of this test's descendants. It skips
// arguments that it has already searched. It searches a process older than a second only in every tenth scan, because
// few processes call exec that late.
func (a *canaryWorld) searchProcesses(r row) {
	a.scans++
	entries, err := os.ReadDir("/proc")
	if err != nil {
		a.T.Error(err)
	}
	now := map[string]process{}
	for _, e := range entries {
		pid := e.Name()
		if pid[0] < '0' || pid[0] > '9' {
			continue
		}
		p, known := a.running[pid]
		if age := a.scans - p.first; known && age > 50 && age%10 != 0 {
			now[pid] = p
			continue
		}
		args, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if !known || p.args != string(args) {
			a.search(fmt.Sprintf("%s: norn %s: arguments of a process", r.name, r.args), args)
			p = process{string(args), descends(pid), a.scans}
		}
		now[pid] = p
		if p.ours && !r.passesSecrets {
			env, _ := os.ReadFile("/proc/" + pid + "/environ")
			where := fmt.Sprintf("%s: norn %s: environment of %s", r.name, r.args, strings.ReplaceAll(p.args, "\x00", " "))
			a.search(where, env)
		}
	}
	a.running = now
}

// descends reports whether a process is a descendant of this one (man 5 proc: stat).
func descends(pid string) bool {
	for self := fmt.Sprint(os.Getpid()); pid != self; {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			return false
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if pid = fields[1]; pid == "0" {
			return false
		}
	}
	return true
}

// search fails the test if data contains one of the values in any form. The failure message does not contain the
// value.
func (a *canaryWorld) search(where string, data []byte) {
	a.T.Helper()
	for i := range len(data) - 1 {
		for _, what := range a.starts[start(data[i:])] {
			if bytes.HasPrefix(data[i:], []byte(a.forms[what])) {
				before := data[max(0, i-80):i]
				a.T.Errorf("%s contains %s, after %q", where, what, a.mask(string(before)))
			}
		}
	}
}

// start returns the first two bytes of a text.
func start[T string | []byte](text T) int { return int(text[0])<<8 | int(text[1]) }

// mask returns text without the values.
func (a *canaryWorld) mask(text string) string {
	for what, form := range a.forms {
		text = strings.ReplaceAll(text, form, "<"+what+">")
	}
	return text
}

// output returns the output of the build and the tests.
func (a *canaryWorld) output() string {
	var b strings.Builder
	for name, word := range a.words {
		fmt.Fprintf(&b, "%s=%s\n", name, word)
	}
	for name, v := range a.values {
		// norn cannot know the value that is currently not set.
		if strings.HasPrefix(name, "CRASH") || strings.HasPrefix(name, "ROTATED") {
			continue
		}
		quoted, err := json.Marshal(v)
		if err != nil {
			a.T.Fatal(err)
		}
		fmt.Fprintf(&b, "%s=%s\n%s %q\n%s\n", name, v, quoted, v, base64.StdEncoding.EncodeToString([]byte("user:"+v)))
	}
	return b.String()
}
