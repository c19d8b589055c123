package infraspec

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bySchema validates a file with the schema, as an editor does. ok is false if the file is not a YAML mapping.
func bySchema(t *testing.T, s *jsonschema.Schema, path string) (problem string, ok bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if yaml.Unmarshal(data, &value) != nil || value == nil {
		return "", false
	}
	if err := s.Validate(value); err != nil {
		return err.Error(), true
	}
	return "", true
}

// shapeRules lists the rules that a schema can express: keys, types, ranges and the keys that a role requires.
var shapeRules = []Rule{RuleUnknownKey, RuleRequired, RuleRange, RuleWrongType, RuleName, RuleChoice, RuleVariable}

// The schema and the loader agree. The schema accepts every good file, and rejects every bad file that violates a rule
// in shapeRules.
func TestSchemaAgreesWithLoader(t *testing.T) {
	s := compiled(t)
	for _, path := range files(t, "good") {
		if problem, ok := bySchema(t, s, path); !ok || problem != "" {
			t.Errorf("%s: the loader accepts it, the schema does not: %v", path, problem)
		}
	}
	rejected := 0
	for _, path := range files(t, "bad") {
		_, found := parseFile(t, path)
		visible := slices.ContainsFunc(found, func(f Finding) bool {
			return f.Severity == Error && slices.Contains(shapeRules, f.Rule)
		})
		problem, ok := bySchema(t, s, path)
		if visible && ok {
			rejected++
			if problem == "" {
				t.Errorf("%s: the loader rejects it, the schema does not", filepath.Base(path))
			}
		}
	}
	if rejected < 10 {
		t.Errorf("the schema checked only %d bad files", rejected)
	}
}

// The schema and the loader agree on each single key, so that no constraint disappears from the schema unnoticed.
func TestSchemaAndLoaderOnSingleKeys(t *testing.T) {
	s := compiled(t)
	for _, c := range []struct {
		text string
		ok   bool
	}{
		{"port: 1", true}, {"port: 0", false}, {"port: 65536", false}, {"port: '80'", false}, {"port: 1.5", false},
		{"replicas: 0", true}, {"replicas: -1", false}, {"replicas: 10001", false},
		{"artifacts: {retain: 0}", false}, {"artifacts: {retain: 10001}", false}, {"alerts: {threshold: 0}", false},
		{"alerts: {threshold: x}", false},
		{"deploy: no", true}, {"deploy: maybe", false}, {"core: 1", false}, {"repo: {autoDeploy: [x]}", false},
		{"healthcheck: ''", true}, {"hosts: {internal: ''}", true}, {"hosts: {internal: 1x}", false},
		{"hosts: {internal: x.y}", false}, {"hosts: {internl: x}", false}, {"hosts: x", false},
		{"env: {A: 1, B: true, C: , D: x}", true}, {"env: {A: [x]}", false}, {"env: {1A: x}", false}, {"env: [A]", false},
		{"secrets: [A, b.c]", true}, {"secrets: [1A]", false}, {"secrets: A", false}, {"secrets: [[A]]", false},
		{"secrets: {A: , b.c: {}, D: {from: x.y/k.e-y_1}, E: {file: /run/e}}", true}, {"secrets: {1A: }", false},
		{"secrets: {A: x}", false}, {"secrets: {A: [x]}", false}, {"secrets: {A: {form: x/y}}", false},
		{"secrets: {A: {from: x}}", false}, {"secrets: {A: {from: [x]}}", false}, {"secrets: {A: {from: X/y}}", false},
		{"secrets: {A: {from: x/y/z}}", false}, {"secrets: {A: {file: run}}", false},
		{"secrets: [{A: {from: x/y}}]", false},
		{"command: x", true}, {"command: [x, 1]", true}, {"command: {a: b}", false}, {"command: [[x]]", false},
		{"timeout: {a: b}", false}, {"function: {memory: [1]}", false}, {"function: {tmeout: 1}", false},
		{"resources: {limits: {cpu: [1]}}", false}, {"resources: {limts: {}}", false},
		{"volumes: [{name: a, mountPath: /a, size: 1Gi}]", true}, {"volumes: [{name: A, mountPath: /a, size: 1Gi}]", false},
		{"volumes: [{name: a, mountPath: a, size: 1Gi}]", false},
		{"volumes: [{mountPath: /a, size: 1Gi}]", false}, {"volumes: [{name: a, size: 1Gi}]", false},
		{"volumes: [{name: a, mountPath: /a, hostPath: a}]", false}, {"volumes: {}", false}, {"volumes: [x]", false},
		{"services: {postgres: {database: x}}", true}, {"services: {postgres: {}}", false},
		{"services: {postgres: {database: ''}}", false}, {"services: {events: {topics: x}}", false},
		{"services: {mysql: {}}", false},
		{"build: {dockerfile: [x]}", false}, {"build: {tset: x}", false}, {"migrations: {command: x}", true},
		{"migrations: {db: x}", false}, {"unknown: x", false},
		{"pod: {security: restricted}", true}, {"pod: {security: }", true}, {"pod: {security: strict}", false},
		{"pod: {labels: {a.b/c: 1}}", true}, {"pod: {pullSecrets: a}", false}, {"pod: {affinity: {}}", false},
		{"pod: {tolerations: [{key: a, tolerationSeconds: 5, effect: NoExecute}]}", true},
		{"pod: {tolerations: [{key: a, effect: x}]}", false}, {"pod: {tolerations: {}}", false},
		{"volumes: [{name: a, mountPath: /a, size: 1Gi, access: ReadWriteMany, class: x}]", true},
		{"volumes: [{name: a, mountPath: /a, size: 1Gi, access: RWX}]", false}, {"overlay: [x]", false},
	} {
		text := "app: shop\nrole: worker\n" + c.text + "\n"
		var value map[string]any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		_, found := inspect("f", []byte(text))
		if loader := !HasErrors(found); loader != c.ok {
			t.Errorf("%s: loader accepts: %v, want %v: %v", c.text, loader, c.ok, found)
		}
		if err := s.Validate(value); (err == nil) != c.ok {
			t.Errorf("%s: schema accepts: %v, want %v: %v", c.text, err == nil, c.ok, err)
		}
	}
}

// Every key has a description, which editors show as help.
func TestSchemaDescribesEveryKey(t *testing.T) {
	type node struct {
		Description string
		Properties  map[string]json.RawMessage
		Items       json.RawMessage
	}
	var walk func(path string, raw json.RawMessage)
	walk = func(path string, raw json.RawMessage) {
		var n node
		if json.Unmarshal(raw, &n) != nil {
			return
		}
		for name, p := range n.Properties {
			var property node
			if err := json.Unmarshal(p, &property); err != nil || property.Description == "" {
				t.Errorf("%s has no description: %v", join(path, name), err)
			}
			walk(join(path, name), p)
		}
		if n.Items != nil {
			walk(path+"[]", n.Items)
		}
	}
	walk("", Schema)
}
