package scaffold

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

var update = flag.Bool("update", false, "write the golden files of TestConvert")

// Realistic files of other tools become infraspecs that norn accepts, without the secrets in them. Each file under
// testdata has the infraspec and the notes beside it. To write them:
//
//	go test ./internal/scaffold -run TestConvert -update
func TestConvert(t *testing.T) {
	files, err := filepath.Glob("testdata/[^f]*/*")
	fly, _ := filepath.Glob("testdata/fly/*")
	files = append(files, fly...) // without testdata/fuzz
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, ".golden") {
			continue
		}
		t.Run(path, func(t *testing.T) {
			golden, err := filepath.Abs(path + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			outside := t.TempDir() // of norn's own repository, whose remote would be in the file
			if err := os.CopyFS(filepath.Join(outside, filepath.Dir(path)), os.DirFS(filepath.Dir(path))); err != nil {
				t.Fatal(err)
			}
			t.Chdir(outside)
			text, notes, err := Convert(t.Context(), path, FormatOf(path))
			if err != nil {
				t.Fatal(err)
			}
			converted(t, golden, text, notes)
		})
	}
}

// converted checks that norn accepts an infraspec, that no secret is in it or in its notes, and that both are as in a
// golden file.
func converted(t *testing.T, golden, text string, notes []string) {
	t.Helper()
	accepted(t, text)
	got := text + "---\n" + strings.Join(notes, "\n") + "\n"
	if strings.Contains(got, "CANARY") {
		t.Errorf("a secret is in:\n%s", got)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || string(want) != got {
		t.Errorf("got %v:\n%s\nwant:\n%s", err, got, want)
	}
}

// In norn, a command replaces the entrypoint of the image; in the other tools, it does not. Convert says so.
func TestConvertEntrypoint(t *testing.T) {
	for dockerfile, want := range map[string]bool{
		"FROM a\nENTRYPOINT [\"/start\"]\n":                 true,
		"FROM a AS b\nENTRYPOINT [\"/x\"]\nFROM c\nCMD d\n": false,
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"Dockerfile": dockerfile, "fly.toml": "app = 'a'\n[processes]\nweb = 'serve'\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, notes, err := Convert(t.Context(), filepath.Join(dir, "fly.toml"), Fly)
		if got := strings.Contains(strings.Join(notes, "\n"), "ENTRYPOINT"); err != nil || got != want {
			t.Errorf("%q: got %v and %q", dockerfile, err, notes)
		}
	}
}

// A file is read by its name or by its keys. An infraspec stays one, whatever it is called.
func TestFormatOf(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text string
		want Format
	}{
		"infraspec.web.yaml":      {"services: {web: {}}\n", Infraspec},
		"deploy.yml":              {"app: a\nrole: worker\n", Infraspec},
		"compose.prod.yml":        {"app: a\nrole: worker\nservices: {postgres: {database: a}}\n", Infraspec},
		"docker-compose.dev.yaml": {"x: [", Compose},
		"stack.yml":               {"services: {web: {build: .}}\n", Compose},
		"shop.yml":                {"service: shop\nservers: [a]\n", Kamal},
		"deploy.staging.yml":      {"servers: [a]\n", Kamal},
		"other.yaml":              {"a: b\n", Infraspec},
		"fly.staging.toml":        {"", Fly},
		"Procfile.dev":            {"", Procfile},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := FormatOf(path); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// accepted fails if norn validate would find an error in an infraspec, or a secret.
func accepted(t *testing.T, text string) {
	t.Helper()
	_, found, err := infraspec.Parse(infraspec.FileName, []byte(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	for _, f := range found {
		if f.Rule == infraspec.RuleSecretInEnv || f.Rule == infraspec.RuleIgnored {
			t.Errorf("%s in:\n%s", f, text)
		}
	}
}

// A file that is not what its name says is an error with its place.
func TestConvertRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ file, text, want string }{
		"empty":               {"fly.toml", " \n", "fly.toml: the file is empty"},
		"not TOML":            {"fly.toml", "app = \"a\"\nCANARY", "fly.toml:2: invalid TOML"},
		"a key twice":         {"fly.toml", "app = \"a\"\n\napp = \"CANARY\"\n", "invalid TOML: a key is set twice"},
		"only comments":       {"fly.toml", "# nothing\n", "fly.toml: the file has no settings"},
		"not text":            {"fly.toml", "\xff\xfe", "fly.toml: the file is not valid UTF-8"},
		"huge":                {"fly.toml", strings.Repeat("# x\n", 1<<19), "cannot read the file: larger than"},
		"no process":          {"Procfile", "# none\n{}\n", "Procfile: no line has the form NAME: COMMAND"},
		"only a release":      {"Procfile", "release: migrate\n", "Procfile: only a release process"},
		"not YAML":            {"compose.yaml", "services:\n  web: [CANARY\n", "compose.yaml:"},
		"unknown anchor":      {"compose.yaml", "services: *canary\n", "invalid YAML: alias to an unknown anchor"},
		"a list":              {"compose.yaml", "- CANARY\n", "compose.yaml:1: the file must be a mapping"},
		"no services":         {"compose.yaml", "version: '3'\n", "compose.yaml: the file has no mapping services"},
		"no build":            {"compose.yaml", "services: {db: {image: postgres}}\n", "no service has build"},
		"endless alias":       {"compose.yaml", "services: &a {web: *a}\n", "compose.yaml: the aliases of the file"},
		"multiplying alias":   {"compose.yaml", multiplying(), "compose.yaml: the aliases of the file"},
		"not Kamal":           {"deploy.yml", "on: push\n", "deploy.yml: the file has neither service nor servers"},
		"ERB that is no YAML": {"deploy.yml", "service: a\n<% if CANARY %>\n", "deploy.yml:"},
		"an invalid host":     {"deploy.yml", "service: a\nservers: [h]\nproxy: {host: 'a b'}\n", ""},
		"an invalid address":  {"fly.toml", "app='a'\n[http_service]\ninternal_port=99999\n", ""},
	} {
		path := filepath.Join(dir, c.file)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		text, _, err := Convert(t.Context(), path, FormatOf(path))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if _, ok := errors.AsType[*SourceError](err); !ok || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: got %v and %q, want %q", name, err, text, c.want)
		}
	}
	for _, name := range []string{"fly.toml", "Procfile", "compose.yaml", "deploy.yml"} {
		folder := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Convert(t.Context(), folder, FormatOf(folder)); err == nil ||
			!strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("a folder: %v", err)
		}
	}
}

// multiplying returns YAML whose aliases stand for a billion values.
func multiplying() string {
	text := "a0: &a0 [x]\n"
	for i := range 9 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d, ", i), 10))
	}
	return text + "services: {web: {build: .}}\n"
}

// fuzz checks that any text becomes an infraspec that norn accepts, or an error, and never panics. The secret of the
// seeds is in neither.
func fuzz(f *testing.F, convert func(file, folder string, data []byte) (string, []string, error), seeds ...string) {
	f.Helper()
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	folder := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		text, notes, err := convert("file", folder, data)
		if err != nil {
			if _, ok := errors.AsType[*SourceError](err); !ok {
				t.Errorf("got %T: %v", err, err)
			}
			return
		}
		accepted(t, text)
		for _, note := range notes {
			if !strings.HasPrefix(note, "file") {
				t.Errorf("no place in %q", note)
			}
		}
	})
}

func FuzzFly(f *testing.F) {
	fuzz(f, fromFly, "app='a'\n[env]\nA='b'\nTOKEN='x'\n[[vm]]\nsize='shared-cpu-1x'\n",
		"[http_service]\ninternal_port=80\n[[http_service.checks]]\npath='/up'\n",
		"[processes]\nweb='a'\nw='b c'\n[[mounts]]\nsource='d'\ndestination='/d'\nprocesses=['w']\n",
		"a.b.c=1\n[a.b]\n[[a.d]]\nx={y=[1,{z=2}]}\n")
}

func FuzzProcfile(f *testing.F) {
	ctx := f.Context()
	fuzz(f, func(file, folder string, data []byte) (string, []string, error) {
		return fromProcfile(ctx, file, folder, data)
	},
		"web: puma -p $PORT\nrelease: rake db:migrate\nworker: sidekiq\n", "a: b", "web: x --password=secret\n: c\n", "0:\v")
}

func FuzzCompose(f *testing.F) {
	fuzz(f, fromCompose,
		"services:\n  web: &w\n    build: .\n    ports: ['80:80/tcp']\n    environment: [A=b, C]\n  w:\n    <<: *w\n",
		"services:\n  a:\n    build: {context: ./a, args: {X: 1}}\n"+
			"    healthcheck: {test: [CMD, curl, 'http://localhost/x']}\n"+
			"    volumes: ['d:/d', './x:/y']\n    deploy: {resources: {limits: {cpus: '1', memory: 1g}}}\n",
		"services: {a: {build: ., command: 'x ${Y:-${Z}} $$q', environment: {P: '${T:-x}'}}}\n", "services: &a {b: *a}\n")
}

func FuzzKamal(f *testing.F) {
	fuzz(f, fromKamal,
		"service: a\nimage: a\nservers: [h]\nproxy: {host: a.b, app_port: 3000}\nenv: {clear: {A: 1}, secret: [B]}\n",
		"service: a\nservers:\n  web: {hosts: [h], options: {memory: 1g}}\n  job: {hosts: [h], cmd: work, proxy: true}\n"+
			"volumes: ['d:/d']\nbuilder: {args: {A: b}, dockerfile: D}\n",
		"service: 1a\nservers: [h]\nproxy: {host: a.b}\n", "servers: {x: {proxy: false}}\nretain_containers: 3\n")
}
