package infraspec

import (
	"errors"
	"strings"
	"testing"
	"time"
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
function: {timeout: 30, trigger: http, memory: 256m}
resources: {requests: {cpu: 100m}, limits: {memory: 128Mi}}
`

func TestParseWhole(t *testing.T) {
	s, warnings, err := Parse("infraspec.yaml", []byte(whole))
	if err != nil || len(warnings) != 0 {
		t.Fatalf("warnings %v, error %v", warnings, err)
	}
	if s.App != "shop" || s.Role != Webserver || s.Port != 8080 || s.Replicas != 2 || s.Artifacts.Retain != 3 {
		t.Errorf("%+v", s)
	}
	if s.Env["WORKERS"] != "4" || s.Env["FAST"] != "true" { // scalars are taken as they are written
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
	if !s.Deploy || s.Replicas != 1 || s.Repo.Branch != "main" || s.Artifacts.Retain != 5 || s.Build.Dockerfile != "Dockerfile" ||
		s.Function.Timeout.Duration() != 30*time.Second || s.Alerts.Window.Duration() != 5*time.Minute {
		t.Errorf("%+v", s)
	}
}

// Each mistake is found, at its place.
func TestFindings(t *testing.T) {
	const worker = "app: shop\nrole: worker\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "f: the file is empty"},
		{"not a mapping", "- a\n", "f:1:1: an infraspec is a mapping"},
		{"not YAML", "app: [\n", "f:"},
		{"tab", "app: shop\n\trole: worker\n", "not valid YAML"},
		{"second document", worker + "---\napp: other\n", "a second YAML document"},
		{"unknown key", worker + "repliccas: 2\n", `f:3:1: unknown key "repliccas"; did you mean "replicas"?`},
		{"far from any key", worker + "frobnicate: 2\n", `f:3:1: unknown key "frobnicate"`},
		{"unknown nested key", worker + "build:\n  tests: x\n", `f:4:3: unknown key "tests" in build; did you mean "test"?`},
		{"duplicate key", worker + "role: cron\n", `f:3:1: key "role" is already set in line 2`},
		{"wrong type", worker + "replicas: many\n", `f:3:11: replicas must be a whole number, not "many"`},
		{"fraction", worker + "replicas: 1.5\n", `f:3:11: replicas must be a whole number`},
		{"list for a mapping", worker + "env: [A]\n", "f:3:6: env must be a mapping"},
		{"mapping for a list", worker + "secrets: {A: b}\n", "f:3:10: secrets must be a list"},
		{"yes is no bool", worker + "deploy: yes please\n", "f:3:9: deploy must be true or false"},
		{"no app", "role: worker\n", "f:1:1: app is missing"},
		{"no role", "app: shop\n", "f:1:1: role is missing"},
		{"bad app", "app: Shop_1\nrole: worker\n", `f:1:6: app "Shop_1" is not a DNS label`},
		{"long app", "app: " + strings.Repeat("a", 64) + "\nrole: worker\n", "is not a DNS label"},
		{"bad role", "app: shop\nrole: wroker\n", `f:2:7: role "wroker" is not one of webserver, worker, cron, function; did you mean "worker"?`},
		{"no port", "app: shop\nrole: webserver\n", "f:1:1: a webserver needs a port"},
		{"port 0", "app: shop\nrole: webserver\nport: 0\n", "f:3:7: port must be 1 to 65535, not 0"},
		{"port 65536", "app: shop\nrole: webserver\nport: 65536\n", "f:3:7: port must be 1 to 65535"},
		{"negative replicas", worker + "replicas: -1\n", "f:3:11: replicas must be 0 to 10000"},
		{"replicas beyond 32 bits", worker + "replicas: 4294967296\n", "f:3:11: replicas must be 0 to 10000"},
		{"cron without", "app: shop\nrole: cron\n", "a cron app needs a schedule"},
		{"relative healthcheck", worker + "healthcheck: healthz\n", "f:3:14: healthcheck"},
		{"bad service name", worker + "hosts: {internal: 1shop}\n", "f:3:19: hosts.internal"},
		{"bad host", worker + "hosts: {external: shop_example}\n", "f:3:19: hosts.external"},
		{"volume without backing", worker + "volumes: [{name: a, mountPath: /a}]\n", "volume a needs a size"},
		{"relative mount", worker + "volumes: [{name: a, mountPath: a, size: 1Gi}]\n", "absolute mountPath"},
		{"bad size", worker + "volumes: [{name: a, mountPath: /a, size: big}]\n", `size "big" is not a quantity`},
		{"same mount twice", worker + "volumes: [{name: a, mountPath: /a, size: 1Gi}, {name: b, mountPath: /a/, size: 1Gi}]\n", "two volumes are mounted at /a/"},
		{"same volume twice", worker + "volumes: [{name: a, mountPath: /a, size: 1Gi}, {name: a, mountPath: /b, size: 1Gi}]\n", `volume name "a" stands twice`},
		{"env and secret", worker + "env: {A: b}\nsecrets: [A]\n", `f:4:11: "A" is in env and in secrets`},
		{"bad env name", worker + "env: {1A: b}\n", `"1A" is not a variable's name`},
		{"bad quantity", worker + "resources: {limits: {memory: lots}}\n", `resources.limits.memory: "lots"`},
		{"alias to its parent", worker + "resources: &a {limits: *a}\n", "f:3:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Parse("f", []byte(c.text))
			var found Errors
			if !errors.As(err, &found) {
				t.Fatalf("error %v, want Errors", err)
			}
			if !strings.Contains(found.Error(), c.want) {
				t.Errorf("found:\n%v\nwant %q", found, c.want)
			}
		})
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
			t.Errorf("finding %d is in line %d: %s", i, f.Line, f)
		}
	}
}

func TestHostPathWins(t *testing.T) {
	_, warnings, err := Parse("f", []byte("app: shop\nrole: worker\nvolumes: [{name: a, mountPath: /a, size: 1Gi, hostPath: /b}]\n"))
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].Message, "hostPath wins") {
		t.Errorf("warnings %v, error %v", warnings, err)
	}
}

// The loader never panics, and every finding is inside the file.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("app: shop\nrole: worker\nenv: &a {A: b}\nresources: {limits: *a}\n")
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		spec, warnings, err := Parse("f", []byte(text))
		var found Errors
		if (spec == nil) == (err == nil) || (err != nil && !errors.As(err, &found)) {
			t.Fatalf("spec %v, error %v", spec, err)
		}
		for _, x := range append(found, warnings...) {
			if x.Line < 0 || x.Line > len(lineBreak.Split(text, -1)) {
				t.Errorf("%s is outside of the file", x)
			}
		}
	})
}
