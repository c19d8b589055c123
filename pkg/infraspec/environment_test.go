package infraspec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

const laidBase = `app: shop
role: webserver
port: 8080
replicas: 3
healthcheck: {tcp: true}
hosts: {internal: shop, external: shop.example.com}
env: {LEVEL: info, DEBUG: "1"}
secrets: [A, B]
volumes: [{name: data, mountPath: /data, size: 1Gi, access: ReadWriteMany}]
processes:
  worker: {command: [/shop, work], replicas: 2}
  nightly: {role: cron, command: /shop report, schedule: "0 3 * * *"}
environments:
`

// laid returns what matters of an infraspec in the environment e.
func laid(s *Spec) string {
	var env, volumes, processes []string
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		env = append(env, name+"="+s.Env[name])
	}
	for _, v := range s.Volumes {
		volumes = append(volumes, v.Name+":"+v.MountPath)
	}
	for _, w := range s.Workloads()[1:] {
		processes = append(processes, fmt.Sprintf("%s:%s:%d", w.Process, w.Role, w.Replicas))
	}
	return fmt.Sprintf("replicas %d, hosts %s %s, env %v, secrets %v, volumes %v, processes %v",
		s.Replicas, s.Hosts.Internal, s.Hosts.External, env, s.Secrets, volumes, processes)
}

// Mappings merge at each depth, everything else replaces, and null removes.
func TestEnvironmentIsLaidOver(t *testing.T) {
	const unchanged = "replicas 3, hosts shop shop.example.com, env [DEBUG=1 LEVEL=info], secrets [A B], " +
		"volumes [data:/data], processes [nightly:cron:1 worker:worker:2]"
	for _, c := range []struct{ name, environment, old, changed string }{
		{"nothing", "", "", ""},
		{"own keys", "{namespace: shop-e, protected: true}", "", ""},
		{"a scalar", "{replicas: 1}", "replicas 3", "replicas 1"},
		{"a mapping", "{hosts: {external: e.example.com}}", "shop shop.example.com", "shop e.example.com"},
		{"a variable", "{env: {LEVEL: debug, NEW: x}}", "DEBUG=1 LEVEL=info", "DEBUG=1 LEVEL=debug NEW=x"},
		{"null removes a variable", "{env: {DEBUG: null}}", "DEBUG=1 LEVEL=info", "LEVEL=info"},
		{"a tilde is null", "{env: {DEBUG: ~}}", "DEBUG=1 LEVEL=info", "LEVEL=info"},
		{"null removes a mapping", "{env: null}", "env [DEBUG=1 LEVEL=info]", "env []"},
		{"null restores a default", "{replicas: null}", "replicas 3", "replicas 1"},
		{"an empty value removes nothing", "{env: , replicas: }", "", ""},
		{"a list replaces", "{secrets: [C]}", "secrets [A B]", "secrets [C]"},
		{"an empty list replaces", "{volumes: []}", "volumes [data:/data]", "volumes []"},
		{
			"a list of mappings replaces", "{volumes: [{name: tmp, mountPath: /tmp, size: 1Gi}]}",
			"volumes [data:/data]", "volumes [tmp:/tmp]",
		},
		{"a process", "{processes: {worker: {replicas: 5}}}", "worker:worker:2", "worker:worker:5"},
		{"null removes a process", "{processes: {nightly: null}}", "nightly:cron:1 worker", "worker"},
		{"a mapping over another type", "{healthcheck: /healthz}", "", ""},
		{"a merge in the environment", "{<<: {replicas: 7}}", "replicas 3", "replicas 7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, _, err := Parse("infraspec.yaml", []byte(laidBase+"  e: "+c.environment+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := laid(spec); got != unchanged {
				t.Errorf("without the environment: %s", got)
			}
			in, err := spec.In("e")
			if err != nil {
				t.Fatal(err)
			}
			want := unchanged
			if c.old != "" {
				want = strings.Replace(want, c.old, c.changed, 1)
			}
			if got := laid(in); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if in.Environment != "e" || in.App != "shop" {
				t.Errorf("environment %q of app %q", in.Environment, in.App)
			}
		})
	}
}

// Anchors of the file work in an environment, and aliases of mappings merge.
func TestEnvironmentWithAnchors(t *testing.T) {
	const text = `app: shop
role: worker
command: [/shop]
env: &vars {A: "1", B: "2"}
environments:
  staging: &staging {replicas: 2, env: {A: "3"}}
  production: {<<: *staging, replicas: 5, env: *vars}
`
	spec, _, err := Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"staging": "2 3 2", "production": "5 1 2"} {
		in, err := spec.In(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%d %s %s", in.Replicas, in.Env["A"], in.Env["B"]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// A finding about an environment names it, and its place is in the environment where that is the cause.
func TestEnvironmentFindings(t *testing.T) {
	for _, c := range []struct{ name, environments, want string }{
		{"a typo", "  e: {replica: 1}", `14:7: error: environment e: unknown key "replica"; did you mean "replicas"?`},
		{"app", "  e: {app: other}", `14:7: error: an environment cannot set app`},
		{"nested", "  e: {environments: {}}", `14:7: error: an environment cannot set environments`},
		{"a name", "  E_1: {}", `14:3: error: "E_1" is not a name for an environment`},
		{"a list", "  e: [a]", `14:6: error: environments.e must be a mapping`},
		{"a type", "  e: {replicas: many}", `14:17: error: environment e: replicas must be a whole number`},
		{"a namespace", "  e: {namespace: A}", `14:18: error: namespace "A" is not a DNS label`},
		{"a fingerprint", "  e: {cluster: abc}", `14:16: error: cluster "abc" is not a fingerprint`},
		{"protected", "  e: {protected: maybe}", `14:18: error: environments.e.protected must be true or false`},
		{"a missing key", "  e: {port: null}", `14:6: error: environment e: a webserver needs a port`},
		{"an empty key", "  e: {env: }", `14:7: warning: environment e: env has no value here`},
		{"the same place", "  e: {}\n  f: {}", `15:3: warning: environments e and f have the same namespace`},
		{"ttl", "  e: {ttl: soon}", `14:12: error: environments.e.ttl must be a number of whole seconds or a duration`},
		{"no ttl", "  e: {ttl: 0}", `14:12: error: environments.e.ttl must be a number of whole seconds or a duration`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := inspect("f", []byte(laidBase+c.environments+"\n"))
			var lines []string
			for _, f := range found {
				if f.Severity != Note {
					lines = append(lines, f.String())
				}
			}
			if got := strings.Join(lines, "\n"); !strings.Contains(got, "f:"+c.want) {
				t.Errorf("got:\n%s\nwant f:%s", got, c.want)
			}
			if c.name != "the same place" && len(lines) != 1 {
				t.Errorf("%d findings:\n%s", len(lines), strings.Join(lines, "\n"))
			}
		})
	}
}

// A mistake in the file itself is reported once, not for each environment.
func TestEnvironmentsRepeatNoFinding(t *testing.T) {
	_, found := inspect("f", []byte("role: worker\nprot: 1\nenvironments: {a: {namespace: a}, b: {namespace: b}}\n"))
	for i, f := range found {
		for _, other := range found[:i] {
			if f.Rule == other.Rule {
				t.Errorf("reported twice:\n%s\n%s", other, f)
			}
		}
	}
}

func TestNoSuchEnvironment(t *testing.T) {
	spec, _, err := Parse("f", []byte(laidBase+"  production: {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = spec.In("prodution")
	missing, ok := err.(*EnvironmentError) //nolint:errorlint // In returns it unwrapped
	if !ok || !strings.HasPrefix(missing.Hint(), "did you mean production?") {
		t.Errorf("error %v", err)
	}
}

const pinned = `"sha256:` + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + `"`

// Pin changes only the fingerprint.
func TestPin(t *testing.T) {
	const head = "app: shop # the shop\nrole: worker\nenvironments: # where it runs\n"
	cluster := strings.Trim(pinned, `"`)
	for _, c := range []struct{ name, before, after string }{
		{"a block", "  e: # e\n    # one\n    replicas: 2\n", "  e: # e\n    cluster: %s\n    # one\n    replicas: 2\n"},
		{"braces", "  e: {replicas: 2} # two\n", "  e: {cluster: %s, replicas: 2} # two\n"},
		{"empty braces", "  e: {}\n", "  e: {cluster: %s}\n"},
		{"nothing", "  e:\n  f: {replicas: 2}\n", "  e: {cluster: %s}\n  f: {replicas: 2}\n"},
		{"another", "  e: {cluster: \"sha256:" + strings.Repeat("0", 64) + "\", replicas: 2}\n",
			"  e: {cluster: %s, replicas: 2}\n"},
		{"an anchor", "  e: &e {replicas: 2}\n  f: {<<: *e}\n", ""},
		{"an alias", "  e: &e {replicas: 2}\n  f: *e\n", ""},
		{"Windows", "  e:\r\n    replicas: 2\r\n", "  e:\r\n    cluster: %s\r\n    replicas: 2\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Pin("f", []byte(head+c.before), "e", cluster)
			if c.after == "" {
				if err == nil {
					t.Errorf("pinned another environment too:\n%s", got)
				}
				return
			}
			if want := head + fmt.Sprintf(c.after, pinned); err != nil || string(got) != want {
				t.Errorf("error %v, got:\n%s\nwant:\n%s", err, got, want)
			}
		})
	}
}

// Text is the infraspec of the environment, and reads as the same infraspec.
func TestText(t *testing.T) {
	spec, _, err := Parse("f", []byte(laidBase+"  e: {replicas: 9, env: {DEBUG: null}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := spec.In("e")
	if err != nil {
		t.Fatal(err)
	}
	text, err := in.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := Parse("f", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got, want := laid(again), laid(in); got != want || len(again.Environments) > 0 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
