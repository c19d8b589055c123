package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aviary is an app whose build, test and pods print its secrets in every form, in a world of its own: home, temporary and work folder.
type aviary struct {
	*bench
	root   string
	app    string // the app's folder
	env    []string
	values map[string]string
	forms  map[string]string // what must be found nowhere, by what it is
	seen   map[string]time.Time
}

func newAviary(t *testing.T) *aviary {
	a := &aviary{bench: newBench(t), root: t.TempDir(), seen: map[string]time.Time{}}
	a.app = filepath.Join(a.root, "work", "parrot")
	outside := t.TempDir() // where the values may be
	for _, dir := range []string{"home", "tmp", "run", "bin", "fail"} {
		if err := os.MkdirAll(filepath.Join(a.root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	a.plant()
	a.write(filepath.Join(outside, "echo"), a.echo())
	buildah, err := exec.LookPath("buildah")
	if err != nil {
		t.Skip("no buildah")
	}
	a.write(filepath.Join(a.root, "bin", "buildah"), "#!/bin/sh\ndd if=\"$CANARY_ECHO\" bs=5 2>/dev/null\nbase64 \"$CANARY_ECHO\" >&2\ntest ! -e \"$CANARY_FAIL/$1\" || { echo broken; exit 1; }\nexec "+buildah+" \"$@\"\n")
	a.env = []string{
		"HOME=" + a.root + "/home", "TMPDIR=" + a.root + "/tmp", "XDG_RUNTIME_DIR=" + a.root + "/run", "KUBECONFIG=" + a.kubeconfig, "NORN_NAMESPACE=" + a.namespace,
		"NORN_REGISTRY_URL=" + os.Getenv("NORN_TEST_REGISTRY"), "NORN_APPS_DIR=" + a.root + "/work", "NORN_BUILDER=buildah", "BUILDAH_ISOLATION=chroot", "STORAGE_DRIVER=vfs",
		"CANARY_ECHO=" + outside + "/echo", "CANARY_FAIL=" + a.root + "/fail", "EDITOR=sh -c 'echo \"# edited\" >>\"$1\"' edit",
		"PATH=" + a.root + "/bin:" + os.Getenv("PATH"),
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=user.name", "GIT_CONFIG_VALUE_0=test", "GIT_CONFIG_KEY_1=user.email", "GIT_CONFIG_VALUE_1=test@localhost",
	}
	if err := os.CopyFS(a.app, os.DirFS(filepath.Join("..", "..", "testdata", "apps", "parrot"))); err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(filepath.Join(os.Getenv("NORN_TEST_BINARIES"), "parrot"))
	if err != nil {
		t.Fatal(err)
	}
	a.write(filepath.Join(a.app, "parrot"), string(binary))
	a.shell("git init -q && git add -A && git commit -q -m first")
	return a
}

func (a *aviary) write(path, text string) {
	a.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		a.t.Fatal(err)
	}
}

func (a *aviary) shell(line string) {
	a.t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir, cmd.Env = a.app, a.env
	if out, err := cmd.CombinedOutput(); err != nil {
		a.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// run runs one row and looks everywhere.
func (a *aviary) run(r row) {
	a.t.Helper()
	if r.before != nil {
		r.before()
	}
	cmd := exec.Command(os.Getenv("NORN_TEST_NORN"), split(r.args)...)
	cmd.Dir, cmd.Env = a.app, a.env
	cmd.Stdin = strings.NewReader(r.stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ctx, stop := context.WithCancel(a.t.Context())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for ctx.Err() == nil {
			a.processes(r)
			a.files(r)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	err := cmd.Run()
	stop()
	<-watched
	what := fmt.Sprintf("%s: norn %s", r.name, r.args)
	if code := cmd.ProcessState.ExitCode(); code != r.code {
		a.t.Fatalf("%s: exit code %d, want %d: %v\n%s", what, code, r.code, err, a.safe(out.String()))
	}
	if r.echoes && !strings.Contains(out.String(), "[redacted:") {
		a.t.Errorf("%s got to see no values:\n%s", what, a.safe(out.String()))
	}
	a.look(what+": output", out.Bytes())
	a.files(r)
	if left, _ := filepath.Glob("/dev/shm/norn-*"); len(left) > 0 {
		a.t.Errorf("%s left %v", what, left)
	}
	a.objects(what)
}

func split(args string) []string {
	head, tail, found := strings.Cut(args, " -- ")
	words := strings.Fields(head)
	if found {
		words = append(append(words, "--"), strings.Fields(tail)...)
	}
	return words
}

// objects looks into every object of the namespace, and into all of the Secret but its data.
func (a *aviary) objects(what string) {
	a.t.Helper()
	kinds := "deployments,replicasets,pods,services,persistentvolumeclaims,configmaps,events,leases,jobs,cronjobs,controllerrevisions,endpointslices,serviceaccounts"
	a.look(what+": objects", []byte(a.kubectl("-n", a.namespace, "get", kinds, "-o", "json", "--show-managed-fields")))
	var list struct{ Items []map[string]any }
	if err := json.Unmarshal([]byte(a.kubectl("-n", a.namespace, "get", "secrets", "-o", "json", "--show-managed-fields")), &list); err != nil {
		a.t.Fatal(err)
	}
	for _, secret := range list.Items {
		delete(secret, "data")
	}
	rest, err := json.Marshal(list)
	if err != nil {
		a.t.Fatal(err)
	}
	a.look(what+": Secret", rest)
	if bytes.Contains(rest, []byte("last-applied-configuration")) {
		a.t.Errorf("%s: the Secret has a last-applied-configuration", what)
	}
}

// files looks into all files that are new or have changed.
func (a *aviary) files(r row) {
	_ = filepath.WalkDir(a.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() { // what has just gone is left
			a.file(fmt.Sprintf("%s: norn %s: file %s", r.name, r.args, path), path, entry)
		}
		return nil
	})
}

func (a *aviary) file(where, path string, entry os.DirEntry) {
	a.t.Helper()
	info, err := entry.Info()
	if err != nil || a.seen[path].Equal(info.ModTime()) {
		return
	}
	if data, err := os.ReadFile(path); err == nil {
		a.seen[path] = info.ModTime()
		a.look(where, data)
	}
}

// processes looks at the arguments of all processes, and at the environments of this test's children.
func (a *aviary) processes(r row) {
	parents := map[string]string{}
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if stat, err := os.ReadFile(dir + "/stat"); err == nil {
			rest := string(stat[bytes.LastIndexByte(stat, ')')+1:])
			parents[filepath.Base(dir)] = strings.Fields(rest)[1]
		}
	}
	self := fmt.Sprint(os.Getpid())
	for _, dir := range dirs {
		pid := filepath.Base(dir)
		args, _ := os.ReadFile(dir + "/cmdline")
		a.look(fmt.Sprintf("%s: norn %s: arguments of a process", r.name, r.args), args)
		ours := false
		for p := parents[pid]; p != "" && p != "0" && !ours; p = parents[p] {
			ours = p == self
		}
		if ours && !r.explicit {
			env, _ := os.ReadFile(dir + "/environ")
			a.look(fmt.Sprintf("%s: norn %s: environment of %s", r.name, r.args, strings.ReplaceAll(string(args), "\x00", " ")), env)
		}
	}
}

// look fails the test where one of the values is in data, in whatever form, and does not repeat it.
func (a *aviary) look(where string, data []byte) {
	a.t.Helper()
	for what, form := range a.forms {
		if i := bytes.Index(data, []byte(form)); i >= 0 {
			before := data[max(0, i-80):i]
			a.t.Errorf("%s holds %s, after %q", where, what, a.safe(string(before)))
		}
	}
}

// safe is a text without the values.
func (a *aviary) safe(text string) string {
	for what, form := range a.forms {
		text = strings.ReplaceAll(text, form, "<"+what+">")
	}
	return text
}

// echo is what the build and the tests print.
func (a *aviary) echo() string {
	var b strings.Builder
	for name, v := range a.values {
		if strings.HasPrefix(name, "CRASH") { // one of them is in no file and no Secret at times, and cannot be known then
			continue
		}
		quoted, err := json.Marshal(v)
		if err != nil {
			a.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s=%s\n%s %q\n%s\n", name, v, quoted, v, base64.StdEncoding.EncodeToString([]byte("user:"+v)))
	}
	return b.String()
}
