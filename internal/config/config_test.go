package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// home sets up a home folder with this settings file, or without one if text is "".
func home(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", "")
	if text == "" {
		return dir
	}
	path := filepath.Join(dir, ".config", "norn", "config.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.String("namespace", "", "")
	f.String("apps-dir", "", "")
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// A flag overrides the environment, which overrides the file, which overrides the default.
func TestOrder(t *testing.T) {
	for _, c := range []struct {
		name, file, env string
		args            []string
		want            string
	}{
		{"default", "", "", nil, "default"},
		{"file", "namespace: from-file\n", "", nil, "from-file"},
		{"environment", "namespace: from-file\n", "from-env", nil, "from-env"},
		{"flag", "namespace: from-file\n", "from-env", []string{"--namespace", "from-flag"}, "from-flag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			home(t, c.file)
			t.Setenv("NORN_NAMESPACE", c.env)
			got, err := Load(flags(t, c.args...))
			if err != nil || got.Namespace != c.want {
				t.Errorf("namespace %q, error %v; want %q", got.Namespace, err, c.want)
			}
		})
	}
}

func TestNamespaceIsChecked(t *testing.T) {
	home(t, "")
	_, err := Load(flags(t, "--namespace", "Bad NS"))
	want := `namespace: invalid name "Bad NS"; ` +
		`use lower-case letters, digits and '-' (not first or last), at most 63 characters`
	if err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

func TestAppsDir(t *testing.T) {
	dir := home(t, "apps_dir: ~/apps\n")
	got, err := Load(flags(t))
	if err != nil || got.AppsDir != filepath.Join(dir, "apps") {
		t.Errorf("apps dir %q, error %v", got.AppsDir, err)
	}
}

func TestFileIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		"namespce: x\n": `unknown setting "namespce"`,
		"a: [\n":        "config.yaml: ",
	} {
		home(t, text)
		_, err := Load(flags(t))
		var fileError *Error
		if !errors.As(err, &fileError) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// Load records the source of each setting, but not the value of a token. If the file has a mistake, it returns the
// rest.
func TestSet(t *testing.T) {
	dir := home(t, "registry_url: registry.example.com\ngit_token: canary\nnamespace: from-file\n")
	t.Setenv("NORN_BUILDER", "podman")
	t.Setenv("NORN_NAMESPACE", "from-env")
	path := filepath.Join(dir, ".config", "norn", "config.yaml")
	got, err := Load(flags(t, "--namespace", "from-flag"))
	want := []Set{
		{"namespace", "--namespace", "from-flag"},
		{"registry_url", path, "registry.example.com"},
		{"builder", "NORN_BUILDER", "podman"},
		{"git_token", path, ""},
	}
	if err != nil || got.File != path || !slices.Equal(got.Set, want) {
		t.Errorf("%+v, %v; want %+v", got.Set, err, want)
	}

	home(t, "registry: registry.example.com\n")
	got, err = Load(flags(t))
	if err == nil || got == nil || got.Builder != "podman" || got.AppsDir == "" {
		t.Errorf("%+v, %v", got, err)
	}
}
