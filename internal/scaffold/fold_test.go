package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

// The infraspecs of one image become one. The main process keeps its text, and each other file is a process. Its name
// keeps the names of the objects, if possible.
func TestFold(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"infraspec.yaml": "# The shop.\napp: shop\nrole: webserver\nport: 8080 # http\nenv: {LOG: info, URL: x}\n" +
			"secrets: [TOKEN]\nhosts: {internal: shop}\n",
		"infraspec.worker.yaml": "app: shop-worker\nrole: worker\ncommand: [/shop, work] # the queue\nreplicas: 2\n" +
			"env: &e {LOG: debug, URL: x}\nsecrets: [TOKEN, QUEUE]\n",
		"infraspec.nightly.yaml": "app: nightly\nrole: cron\nschedule: \"0 3 * * *\"\ncommand: report\n" +
			"volumes: [{name: data, mountPath: /d, size: 1Gi}]\n",
		"infraspec.other.yaml": "app: other\nrole: worker\nbuild: {dockerfile: other/Dockerfile}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, notes, err := Fold([]string{filepath.Join(dir, "infraspec.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	spec, found, err := infraspec.Parse("f", []byte(text))
	if err != nil || len(found) > 0 {
		t.Fatalf("%v %v:\n%s", err, found, text)
	}
	worker, nightly := spec.Processes["worker"], spec.Processes["nightly"]
	if len(spec.Processes) != 2 || spec.App != "shop" || !slices.Equal(spec.Secrets, []string{"TOKEN", "QUEUE"}) ||
		!slices.Equal(worker.Command, []string{"/shop", "work"}) || worker.Replicas != 2 ||
		len(worker.Env) != 1 || worker.Env["LOG"] != "debug" ||
		nightly.Role != infraspec.Cron || nightly.Schedule != "0 3 * * *" || len(nightly.Volumes) > 0 {
		t.Errorf("got:\n%s", text)
	}
	for _, comment := range []string{"# The shop.", "# http", "# the queue"} {
		if !strings.Contains(text, comment) {
			t.Errorf("no comment %q in:\n%s", comment, text)
		}
	}
	for _, want := range []string{
		"infraspec.worker.yaml: secret QUEUE now goes to all processes",
		"infraspec.nightly.yaml: volume data is left out, because the main process does not have it",
		"infraspec.nightly.yaml: the objects of nightly are now named shop-nightly",
	} {
		if !slices.Contains(notes, want) {
			t.Errorf("no note %q in %q", want, notes)
		}
	}
}

// A single infraspec, and files that do not fit together, are errors.
func TestFoldRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	one := write("infraspec.yaml", "app: shop\nrole: worker\n")
	if _, _, err := Fold([]string{one}); err == nil || !strings.Contains(err.Error(), "is the only infraspec") {
		t.Errorf("alone: %v", err)
	}
	bad := write("infraspec.bad.yaml", "app: x\nrole: nothing\n")
	if _, _, err := Fold([]string{one, bad}); err == nil {
		t.Error("an invalid file is accepted")
	}
	function := write("infraspec.call.yaml", "app: call\nrole: function\n")
	if _, _, err := Fold([]string{one, function}); err == nil || !strings.Contains(err.Error(), "cannot be merged") {
		t.Errorf("with a function: %v", err)
	}
}
