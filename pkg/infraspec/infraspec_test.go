package infraspec

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const whole = `app: shop
role: webserver
port: 8080
healthcheck: /healthz
replicas: 2
hosts: {external: shop.example.com, internal: shop}
build: {dockerfile: docker/Dockerfile, test: make test}
repo: {url: "https://example.com/shop.git", autoDeploy: true, repoWeb: x, webhookSecret: y}
services:
  postgres: {database: shop, migrations: db}
  kv: {namespace: shop}
  events: {topics: [orders]}
  storage: {bucket: b, provider: p}
secrets: [TOKEN]
migrations: {command: "bin/migrate", database: shop}
artifacts: {retain: 3}
volumes:
  - {name: data, mountPath: /data, size: 1Gi}
  - {name: logs, mountPath: /logs, hostPath: /var/log/shop}
env: {LOG: debug, WORKERS: 4, FAST: true}
alerts: {window: 5m, threshold: 3}
resources: {requests: {cpu: 100m}, limits: {memory: 128Mi}}
`

func TestParseWhole(t *testing.T) {
	s, warnings, err := Parse("infraspec.yaml", []byte(whole))
	unexpected := func(f Finding) bool { return f.Severity != Note && f.Rule != RuleClaim }
	if err != nil || slices.ContainsFunc(warnings, unexpected) {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	if s.App != "shop" || s.Role != Webserver || s.Port != 8080 || s.Replicas != 2 || s.Artifacts.Retain != 3 {
		t.Errorf("%+v", s)
	}
	if s.Env["WORKERS"] != "4" || s.Env["FAST"] != "true" { // scalars are strings as written in the file
		t.Errorf("env %v", s.Env)
	}
	if got := strings.Join(s.Migrations.Command, "|"); got != "/bin/sh|-c|bin/migrate" {
		t.Errorf("command %q", got)
	}
	if s.Services.Postgres.Database != "shop" || s.Volumes[1].HostPath != "/var/log/shop" {
		t.Errorf("%+v", s)
	}
}

func TestDefaults(t *testing.T) {
	s, _, err := Parse("infraspec.yaml", []byte("app: shop\nrole: worker\nenv:\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Deploy || s.Replicas != 1 || s.Repo.Branch != "main" || s.Artifacts.Retain != 5 ||
		s.Build.Dockerfile != "Dockerfile" ||
		s.Function.Memory != "256m" || s.Function.Trigger != "http" || s.Alerts.Threshold != 3 ||
		s.Function.Timeout.Duration() != 30*time.Second || s.Alerts.Window.Duration() != 5*time.Minute {
		t.Errorf("%+v", s)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	_, _, err := Parse("f", []byte("app: Shop\nrole: webservr\nport: http\nreplica: 1\nenv: []\n"))
	var found Errors
	if !errors.As(err, &found) || len(found) != 5 {
		t.Fatalf("%d findings: %v", len(found), err)
	}
	for i, f := range found {
		if f.Line != i+1 {
			t.Errorf("finding %d is on line %d: %s", i, f.Line, f)
		}
	}
}

func TestHostPathWins(t *testing.T) {
	text := "app: shop\nrole: worker\nvolumes: [{name: a, mountPath: /a, size: 1Gi, hostPath: /b}]\n"
	_, warnings, err := Parse("f", []byte(text))
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Message, "hostPath wins") {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
}

// Aliases and merges resolve as in YAML. A key that the mapping itself sets wins.
func TestAnchors(t *testing.T) {
	spec, found := parseFile(t, corpus+"/good/anchors.yaml")
	if spec == nil {
		t.Fatal(found)
	}
	v := spec.Volumes[1]
	if spec.Env["NAME"] != "shop" || v.Name != "cache" || v.MountPath != "/cache" || v.Size != "1Gi" {
		t.Errorf("env %v, volumes %v", spec.Env, spec.Volumes)
	}
}

// The list of findings is limited for a file that is not an infraspec.
func TestFindingsAreBounded(t *testing.T) {
	text := "app: shop\nrole: worker\n"
	for i := range 10 * maxFindings {
		text += fmt.Sprintf("key%d: 1\n", i)
	}
	_, _, err := Parse("f", []byte(text))
	var found Errors
	if !errors.As(err, &found) || len(found) != maxFindings+1 {
		t.Fatalf("%d findings", len(found))
	}
	last := found[maxFindings]
	if last.Rule != RuleTooMany || last.Line != maxFindings+3 || !strings.HasPrefix(last.Message, "1800 more") {
		t.Errorf("last finding: %s", last)
	}
}

// YAML 1.1 reads 010 as 8, which surprises users, so the loader rejects it.
func TestLeadingZero(t *testing.T) {
	for text, ok := range map[string]bool{"010": false, "-010": false, "0": true, "10": true} {
		_, _, err := Parse("f", []byte("app: shop\nrole: worker\nreplicas: "+text+"\n"))
		if (err == nil) != ok {
			t.Errorf("replicas: %s: %v", text, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	_, _, err := Parse("f", []byte("app: shop\n# "+strings.Repeat("x", maxSize)))
	if err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("error %v", err)
	}
}

func TestEditDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"port", "port", 0}, {"prot", "port", 1}, {"prt", "port", 1}, {"poort", "port", 1}, {"prtt", "port", 2},
		{"", "ab", 2}, {"p", "port", 3},
	} {
		if got := EditDistance(c.a, c.b); got != c.want {
			t.Errorf("EditDistance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The loader never panics, every finding is inside the file, and every excerpt is as wide as its line.
func FuzzParse(f *testing.F) {
	for _, path := range append(files(f, "good"), files(f, "bad")...) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add("a: &a [*a]\n")
	f.Add("app: a\nrole: worker\nenv: &e {A: *e}\nenvironments: {s: {env: *e, <<: {replicas: 2}}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		spec, found, err := Parse("f", []byte(text))
		var errs Errors
		if (spec == nil) == (err == nil) || (err != nil && !errors.As(err, &errs)) {
			t.Fatalf("spec %v, error %v", spec, err)
		}
		lines := lineBreak.Split(strings.TrimPrefix(text, byteOrderMark), -1)
		for _, x := range append(errs, found...) {
			if x.Line == 0 && x.Column == 0 {
				continue
			}
			if x.Line < 1 || x.Line > len(lines) {
				t.Fatalf("%s is outside the file", x)
			}
			wide := utf8.RuneCountInString(lines[x.Line-1])
			if x.Column < 1 || x.Column > wide+1 || x.EndColumn <= x.Column || x.EndColumn > wide+2 {
				t.Errorf("%s is outside its line: ends at column %d of %d", x, x.EndColumn, wide)
			}
			if x.Source != "" && utf8.RuneCountInString(x.Source) != wide {
				t.Errorf("%s shows %q for %q", x, x.Source, lines[x.Line-1])
			}
		}
	})
}
