package scaffold

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"norn/pkg/infraspec"
)

// Text returns a valid infraspec with exactly the answers.
func TestTextIsValid(t *testing.T) {
	for name, a := range map[string]Answers{
		"webserver": {
			App: "shop", Role: "webserver", Port: 8080, Healthcheck: "/healthz",
			Internal: "shop", External: "shop.example.com", Remote: "git@example.com:x.git",
		},
		"webserver, no host": {App: "shop", Role: "webserver", Port: 8080},
		"worker":             {App: "beat", Role: "worker", Dockerfile: "Containerfile"},
		"cron":               {App: "nightly", Role: "cron", Schedule: "*/5 * * * *", Command: "a: b | c # 'd' \"e\"\nf"},
		"function":           {App: "resize", Role: "function", Remote: "https://example.com/x.git", FromRemote: true},
		"reserved words":     {App: "123", Role: "worker", Dockerfile: "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			spec, found, err := infraspec.Parse("f", []byte(Text(a)))
			if err != nil || Problem(a) != "" {
				t.Fatalf("%v, %q:\n%s", err, Problem(a), Text(a))
			}
			for _, f := range found {
				t.Errorf("%s", f)
			}
			if spec.App != a.App || string(spec.Role) != a.Role || spec.Port != a.Port ||
				spec.Healthcheck.Path != a.Healthcheck ||
				spec.Hosts.Internal != a.Internal || spec.Hosts.External.String() != a.External || spec.Schedule != a.Schedule {
				t.Errorf("%+v was parsed as %+v", a, spec)
			}
			if a.Command != "" && spec.Command[2] != a.Command {
				t.Errorf("command %q", spec.Command)
			}
			if (spec.Repo.URL == a.Remote) != a.FromRemote && a.Remote != "" {
				t.Errorf("repo.url %q", spec.Repo.URL)
			}
		})
	}
}

func TestProblem(t *testing.T) {
	if got := Problem(Answers{App: "Shop", Role: "worker"}); got == "" {
		t.Error("no problem reported")
	}
}

func TestAppName(t *testing.T) {
	for folder, want := range map[string]string{
		"shop": "shop", "My Shop": "my-shop", "_x_": "x", "été": "t", "***": "app", "a.b": "a-b",
	} {
		if got := appName(folder); got != want {
			t.Errorf("appName(%q) = %q, want %q", folder, got, want)
		}
	}
}

func TestExposed(t *testing.T) {
	for text, want := range map[string]int{
		"FROM x\nEXPOSE 8080\n":                      8080,
		"FROM x\nexpose 8080/tcp 9090\n":             8080,
		"FROM x AS a\nEXPOSE 1\nFROM y\nEXPOSE 80\n": 80,
		"FROM x AS a\nEXPOSE 1\nFROM y\n":            0,
		"FROM x\nEXPOSE $PORT\nEXPOSE 53/udp\n":      0,
		"FROM x\nEXPOSE 70000\n":                     0,
		"":                                           0,
	} {
		path := filepath.Join(t.TempDir(), "Dockerfile")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := exposed(path); got != want || err != nil {
			t.Errorf("exposed(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

// If many processes write at once, one creates the file, and the others leave it unchanged. No other files remain.
func TestWriteNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	var wrote atomic.Int32
	var running sync.WaitGroup
	for range 10 {
		running.Go(func() {
			_, _, err := Write(dir, Answers{App: "shop", Role: "worker"})
			var exists *ExistsError
			switch {
			case err == nil:
				wrote.Add(1)
			case !errors.As(err, &exists):
				t.Error(err)
			}
		})
	}
	running.Wait()
	if wrote.Load() != 1 {
		t.Errorf("%d writers succeeded, want 1", wrote.Load())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("folder contains %v, error %v", left, err)
	}
	if _, _, err := infraspec.Load(filepath.Join(dir, infraspec.FileName)); err != nil {
		t.Error(err)
	}
}

// Write keeps and reports a schema of another version.
func TestStaleSchema(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, SchemaPath)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, stale, err := Write(dir, Answers{App: "shop", Role: "worker"})
	if err != nil || !stale {
		t.Errorf("stale %v, error %v", stale, err)
	}
}

// git does not get norn's keys in its environment.
func TestDetectKeepsKeysFromGit(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	seen := filepath.Join(bin, "seen")
	script := "#!/bin/sh\nexport -p >" + seen + "\npwd\n"
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("SOPS_AGE_KEY", "canary-age-key")
	t.Setenv("NORN_GIT_TOKEN", "canary-git-token")
	if a := Detect(t.Context(), dir); a.Remote != dir {
		t.Errorf("git ran in %q, want %q", a.Remote, dir)
	}
	env, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(env), "canary") {
		t.Error("git got norn's keys")
	}
}
