package validate

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

// folder creates an app's folder with these files.
func folder(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	worker   = "app: shop\nrole: worker\n"
	metadata = "sops:\n  version: 3.13.3\n  lastmodified: \"2026-01-01T00:00:00Z\"\n  mac: ENC[x]\n" +
		"  age:\n    - recipient: age1x\n      enc: x\n"
)

// encrypted returns a value of n bytes as SOPS writes it.
func encrypted(n int) string {
	return "ENC[AES256_GCM,data:" + base64.StdEncoding.EncodeToString(make([]byte, n)) + ",iv:x,tag:x,type:str]"
}

func TestReferencedFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string // "severity rule line:column text"
	}{
		{"all there", map[string]string{
			"infraspec.yaml": worker + "secrets: [TOKEN]\n", "Dockerfile": "",
			"secrets.enc.yaml": "TOKEN: ENC[x]\n" + metadata,
		}, nil},
		{"no Dockerfile", map[string]string{"infraspec.yaml": worker, "main.go": ""}, []string{
			"warning dockerfile 1:1 no Dockerfile",
		}},
		{"only deployed with --image", map[string]string{
			"infraspec.yaml": worker + "secrets: [TOKEN]\n", ".sops.yaml": "",
			"secrets.enc.yaml": "TOKEN: ENC[x]\n" + metadata,
		}, []string{"note dockerfile 1:1 no Dockerfile"}},
		{"secrets of an app beside it", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\n", "Dockerfile": "",
			"infraspec.web.yaml": "app: web\nrole: worker\nsecrets: [A, B]\n",
			"secrets.enc.yaml":   "A: ENC[x]\nB: ENC[x]\nOLD: ENC[x]\n" + metadata,
		}, []string{"warning secrets-file 3:10 OLD is in secrets.enc.yaml"}},
		{"the same app beside it", map[string]string{
			"infraspec.yaml": worker, "Dockerfile": "", "infraspec.copy.yaml": worker,
			"infraspec.web.yaml": "app: web\nrole: worker\n",
		}, []string{"warning host-taken 1:6 infraspec.copy.yaml also sets app"}},
		{"another Dockerfile", map[string]string{"infraspec.yaml": worker, "Containerfile": ""}, []string{
			"warning dockerfile 1:1 set build.dockerfile to Containerfile",
		}},
		{"named Dockerfile", map[string]string{"infraspec.yaml": worker + "build: {dockerfile: d/x}\n"}, []string{
			"error dockerfile 3:21 file \"d/x\" does not exist",
		}},
		{"root", map[string]string{
			"infraspec.yaml": worker + "pod: {security: restricted}\n", "Dockerfile": "FROM scratch\nCMD [\"/x\"]\n",
		}, []string{"error security 3:17 runs as root; add USER 65532 before line 2 of Dockerfile"}},
		{"overlay", map[string]string{
			"infraspec.yaml": worker + "overlay: o.yaml\n", "Dockerfile": "", "o.yaml": "kind: Pod\nspec: {x: hunter2}\n",
		}, []string{"error unknown-key 2:8 unknown field \"x\" in spec"}},
		{"not deployed", map[string]string{"infraspec.yaml": worker + "deploy: false\n"}, nil},
		{"source elsewhere", map[string]string{
			"infraspec.yaml": worker + "repo: {url: \"https://example.com/x\"}\nsecrets: [TOKEN]\n",
		}, nil},
		{"no secrets file", map[string]string{"infraspec.yaml": worker + "secrets: [TOKEN]\n", "Dockerfile": ""}, []string{
			"error secrets-file 3:10 run norn secrets init, then norn secrets set for each name",
		}},
		{"no secrets file, but rules", map[string]string{
			"infraspec.yaml": worker + "secrets: [TOKEN]\n", "Dockerfile": "",
			".sops.yaml": "creation_rules:\n  - age: age1yt3tfqlfrwdwx0z0ynwplcr6qxcxfaqycuprpmy89nr83ltx74tqdpszlw\n",
		}, []string{
			"error secrets-file 3:10 create it with norn secrets set",
		}},
		{"names differ", map[string]string{
			"infraspec.yaml": worker + "secrets: [A, B]\n", "Dockerfile": "",
			"secrets.enc.yaml": "# c\nB: ENC[x]\nOLD: ENC[x]\n" + metadata,
		}, []string{
			"warning secrets-file 3:10 OLD is in secrets.enc.yaml but not listed",
			"error secrets-file 3:11 A is not in secrets.enc.yaml",
		}},
		{"plaintext", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\n", "Dockerfile": "",
			"secrets.enc.yaml": "A: hunter2hunter2\n",
		}, []string{"error secrets-file 3:10 secrets.enc.yaml: not a SOPS file"}},
		{"plain value", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\n", "Dockerfile": "",
			"secrets.enc.yaml": "A: hunter2hunter2\n" + metadata,
		}, []string{"error secrets-file 3:11 A is not encrypted in secrets.enc.yaml"}},
		{"nested value", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\n", "Dockerfile": "",
			"secrets.enc.yaml": "A:\n  B: ENC[x]\n" + metadata,
		}, []string{"error secrets-file 3:11 A is a list or a mapping"}},
		{"too long for a variable", map[string]string{
			"infraspec.yaml": worker + "secrets: [A, B]\n", "Dockerfile": "",
			"secrets.enc.yaml": "A: " + encrypted(128<<10-3) + "\nB: " + encrypted(128<<10-2) + "\n" + metadata,
		}, []string{"error secrets-file 3:14 B has 131070 bytes, more than the limit of 131069 for an environment variable"}},
		{"too much for a Secret", map[string]string{
			"infraspec.yaml": worker + "secrets: [A, B, C, D, E, F, G, H, I]\n", "Dockerfile": "",
			"secrets.enc.yaml": func() string {
				text := ""
				for _, name := range "ABCDEFGHI" {
					text += string(name) + ": " + encrypted(120<<10) + "\n"
				}
				return text + metadata
			}(),
		}, []string{"error secrets-file 3:10 total 1105920 bytes, more than the limit of 1048576 for a Secret"}},
		{"environments", map[string]string{
			"infraspec.yaml": worker + "secrets: [A, B]\nenvironments:\n  e: {namespace: e}\n" +
				"  f:\n    namespace: f\n    secrets: [A, C]\n  g: {secrets: [A]}\n", "Dockerfile": "",
			"secrets.enc.yaml":      "A: ENC[x]\nC: ENC[x]\nOLD: ENC[x]\n" + metadata,
			"secrets.e.enc.yaml":    "B: ENC[x]\nOWN: ENC[x]\n" + metadata,
			"secrets.f.enc.yaml":    "A: plain\n" + metadata,
			"secrets.typo.enc.yaml": "A: ENC[x]\n" + metadata,
		}, []string{
			"warning secrets-file 3:10 OLD is in secrets.enc.yaml but not listed",
			"warning secrets-file 3:10 environment e: OWN is in secrets.e.enc.yaml but not listed",
			"warning secrets-file 5:3 secrets.typo.enc.yaml is not used, because there is no environment typo",
			"error secrets-file 8:15 environment f: A is not encrypted in secrets.f.enc.yaml",
		}},
		{"an environment's secrets", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\nenvironments:\n  e: {namespace: e}\n  f: {namespace: f}\n",
			"Dockerfile":     "", "secrets.e.enc.yaml": "A: ENC[x]\n" + metadata,
		}, []string{
			"error secrets-file 3:10 environment f: neither secrets.enc.yaml nor secrets.f.enc.yaml is in the folder of " +
				"this file; run norn secrets init, then norn secrets set NAME --env f for each name",
		}},
		{"a text over a list", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\nenvironments:\n  e: {namespace: e}\n  f: {namespace: f}\n",
			"Dockerfile":     "", "secrets.enc.yaml": "A:\n  b: ENC[x]\n" + metadata,
			"secrets.e.enc.yaml": "A: ENC[x]\n" + metadata,
		}, []string{"error secrets-file 3:11 environment f: A is a list or a mapping in secrets.enc.yaml"}},
		{"too long in an environment", map[string]string{
			"infraspec.yaml": worker + "secrets: [A]\nenvironments: {e: {namespace: e}}\n", "Dockerfile": "",
			"secrets.enc.yaml":   "A: " + encrypted(10) + "\n" + metadata,
			"secrets.e.enc.yaml": "A: " + encrypted(128<<10) + "\n" + metadata,
		}, []string{"error secrets-file 3:11 environment e: A has 131072 bytes"}},
		{"other mistakes", map[string]string{
			"infraspec.yaml": worker + "prot: 1\nsecrets: [A]\n", "Dockerfile": "",
		}, []string{"error unknown-key 3:1", "error secrets-file 4:10"}},
		{"amounts that no Pod can have", map[string]string{
			"infraspec.yaml": worker + "resources: {limits: {memory: much}}\n" +
				"healthcheck: {path: /x, port: 1, every: 0s}\n",
			"Dockerfile": "",
		}, []string{"error quantity 3:30", "error duration 4:41"}},
		{"unreadable", map[string]string{"infraspec.yaml": "- a\n"}, []string{"error unreadable 1:1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, filepath.Join(t.TempDir(), "shop"), c.files)
			report, err := One(dir, "/", Settings{AppsDir: "/nowhere"})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range report.Findings {
				got = append(got, strings.Join([]string{string(f.Severity), string(f.Rule), place(f), f.Message}, " "))
			}
			if len(got) != len(c.want) {
				t.Fatalf("found %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				head := strings.Join(strings.Fields(want)[:3], " ")
				text := strings.TrimSpace(strings.TrimPrefix(want, head))
				if !strings.HasPrefix(got[i], head) || !strings.Contains(got[i], text) {
					t.Errorf("found %q, want %q", got[i], want)
				}
				if strings.Contains(got[i], "hunter2") {
					t.Errorf("a finding shows a value: %q", got[i])
				}
			}
		})
	}
}

func place(f infraspec.Finding) string {
	parts := strings.SplitN(strings.TrimPrefix(f.String(), f.File+":"), ":", 3)
	return parts[0] + ":" + parts[1]
}

// All reports each app once, in order, and reports conflicts between two apps.
func TestAll(t *testing.T) {
	apps := t.TempDir()
	web := func(app, host string) map[string]string {
		spec := "app: " + app + "\nrole: webserver\nport: 80\nhosts: {internal: " + host + "}\n"
		return map[string]string{"Dockerfile": "", "infraspec.yaml": spec}
	}
	folder(t, filepath.Join(apps, "a"), web("a", "shared"))
	folder(t, filepath.Join(apps, "b"), web("b", "shared"))
	folder(t, filepath.Join(apps, "c"), web("a", "c"))
	folder(t, filepath.Join(apps, "no-app"), map[string]string{"README": ""})
	var names, rules []string
	err := All(Settings{AppsDir: apps}, func(r Report) error {
		names = append(names, r.App)
		for _, f := range r.Findings {
			rules = append(rules, r.App+" "+string(f.Rule))
		}
		return nil
	})
	if err != nil || !slices.Equal(names, []string{"a", "b", "a"}) ||
		!slices.Equal(rules, []string{"b host-taken", "a folder", "a host-taken"}) {
		t.Errorf("apps %q, rules %q, error %v", names, rules, err)
	}
}

// If the file sets another name than the requested one, the result is an error.
func TestOneWithAnotherName(t *testing.T) {
	apps := t.TempDir()
	folder(t, filepath.Join(apps, "store"), map[string]string{"infraspec.yaml": worker, "Dockerfile": ""})
	report, err := One("store", "/", Settings{AppsDir: apps})
	if err != nil || len(report.Findings) != 1 || report.Findings[0].Rule != infraspec.RuleFolder ||
		report.Findings[0].Severity != infraspec.Error {
		t.Errorf("%v, %v", report.Findings, err)
	}
}

// The objects of a process must not have the names of another app's, in whichever order norn reads the files.
func TestProcessNamesAreTaken(t *testing.T) {
	apps := t.TempDir()
	folder(t, filepath.Join(apps, "shop"), map[string]string{
		"infraspec.yaml": "app: shop\nrole: webserver\nport: 80\nhosts: {internal: shop}\nprocesses:\n" +
			"  work: {command: x}\n  web: {role: webserver, port: 81, hosts: {internal: store}}\n",
	})
	folder(t, filepath.Join(apps, "a"), map[string]string{"infraspec.yaml": "app: shop-work\nrole: worker\n"})
	folder(t, filepath.Join(apps, "z"), map[string]string{
		"infraspec.yaml": "app: shop-web\nrole: webserver\nport: 80\nhosts: {internal: store}\n",
	})
	var got []string
	err := All(Settings{AppsDir: apps}, func(r Report) error {
		for _, f := range r.Findings {
			if f.Rule == infraspec.RuleProcess || f.Rule == infraspec.RuleHostTaken {
				got = append(got, filepath.Base(filepath.Dir(f.File))+" "+f.Message)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"shop the objects of process work are named shop-work, like those in ", "z app is also used in ",
		"z hosts.internal is also used in ",
	} {
		if len(got) != 3 || !strings.HasPrefix(got[i], want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

const staged = `app: shop
role: worker
secrets: [A]
replicas: 2
environments:
  staging: {namespace: staging, secrets: []}
  production: {namespace: production, secrets: [A, B], replicas: 3}
`

// With an environment, only what matters there is reported. If another environment has a mistake, one finding says so,
// because norn refuses the file.
func TestOneEnvironment(t *testing.T) {
	for _, c := range []struct {
		environment, text string
		want              []string
	}{
		{"staging", staged, nil},
		{"production", staged, []string{"neither secrets.enc.yaml nor secrets.production.enc.yaml"}},
		{"staging", strings.Replace(staged, "replicas: 3", "replica: 3", 1), []string{
			"environment production has a mistake, so the file is invalid; see norn validate --env production",
		}},
		{"production", strings.Replace(staged, "replicas: 3", "replica: 3", 1), []string{
			"neither secrets.enc.yaml nor", `environment production: unknown key "replica"`,
		}},
		{"staging", staged + "prot: 1\n", []string{`unknown key "prot"`}},
	} {
		apps := t.TempDir()
		path := filepath.Join(apps, "infraspec.yaml")
		for name, text := range map[string]string{path: c.text, filepath.Join(apps, "Dockerfile"): "FROM scratch\n"} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		report, err := One(path, apps, Settings{Environment: c.environment})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range report.Findings {
			if f.Severity != infraspec.Note {
				got = append(got, f.Message)
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %q, want %q", c.environment, got, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: got %q, want %q", c.environment, got[i], want)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "infraspec.yaml")
	if err := os.WriteFile(path, []byte(staged), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := One(path, "/", Settings{Environment: "nosuch"}); err == nil {
		t.Error("an environment that the app does not have")
	}
}
