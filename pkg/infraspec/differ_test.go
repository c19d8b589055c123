package infraspec

import (
	"slices"
	"testing"
)

func TestDiffering(t *testing.T) {
	const file = `app: shop
role: webserver
port: 80
env: {A: "1", B: "2", C: "3"}
secrets: [TOKEN]
processes:
  worker: {command: work}
  mailer: {command: mail}
environments:
  staging: {}
  same: {namespace: elsewhere}
  production:
    replicas: 3
    hosts: {internal: shop}
    env: {B: "4", C: null, D: "5"}
    secrets: [TOKEN, KEY]
    resources: {limits: {memory: 1Gi}}
    processes: {worker: {replicas: 2}, mailer: null}
`
	spec, _, err := Parse("infraspec.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	staging, _ := spec.In("staging")
	for name, want := range map[string][]string{
		"same": nil,
		"production": {
			"replicas", "hosts.internal", "secrets", "env.B", "env.C", "env.D", "processes.mailer",
			"processes.worker.replicas", "resources.limits.memory",
		},
	} {
		other, _ := spec.In(name)
		if got := staging.Differing(other); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
