package access

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// role is one of the Roles in docs/rbac.md.
type role struct {
	Metadata struct{ Name, Namespace string }
	Rules    []struct {
		Groups    []string `yaml:"apiGroups"`
		Resources []string `yaml:"resources"`
		Verbs     []string `yaml:"verbs"`
	}
}

func (r role) granted() map[string]bool {
	out := map[string]bool{}
	for _, rule := range r.Rules {
		for _, group := range rule.Groups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					out[verb+" "+resource+"."+group] = true
				}
			}
		}
	}
	return out
}

func documented(t *testing.T) []role {
	t.Helper()
	text, err := os.ReadFile("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	var roles []role
	for i, part := range strings.Split(string(text), "```") {
		if source, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			var r role
			if err := yaml.Unmarshal([]byte(source), &r); err != nil {
				t.Fatal(err)
			}
			roles = append(roles, r)
		}
	}
	if len(roles) != 2 {
		t.Fatalf("%d Roles in docs/rbac.md, want 2", len(roles))
	}
	return roles
}

func used(rules []Rule) map[string]bool {
	out := map[string]bool{}
	for _, p := range Permissions("", rules) {
		out[p.Verb+" "+p.Resource+"."+p.Group] = true
	}
	return out
}

// The page and the list say the same: neither has a verb that the other lacks.
func TestDocumentation(t *testing.T) {
	var all []Rule
	for _, c := range Commands() {
		all = append(all, c.Rules...)
	}
	roles := documented(t)
	for i, rules := range [][]Rule{all, Tunnel()} {
		page, list := roles[i].granted(), used(rules)
		for _, p := range slices.Sorted(maps.Keys(page)) {
			if !list[p] {
				t.Errorf("docs/rbac.md grants %q in Role %s, which no command uses", p, roles[i].Metadata.Name)
			}
		}
		for _, p := range slices.Sorted(maps.Keys(list)) {
			if !page[p] {
				t.Errorf("Role %s in docs/rbac.md lacks %q", roles[i].Metadata.Name, p)
			}
		}
	}
}

// What a command can do without says what is lost, and every verb is named once in a rule.
func TestRules(t *testing.T) {
	for _, c := range Commands() {
		if len(c.Rules) == 0 {
			t.Errorf("%s uses nothing", c.Name)
		}
		seen := map[string]bool{}
		for _, p := range Permissions("ns", c.Rules) {
			if p.Namespace != "ns" || p.Verb == "" || p.Resource == "" {
				t.Errorf("%s: %+v", c.Name, p)
			}
			if seen[p.String()] {
				t.Errorf("%s names %s twice", c.Name, p)
			}
			seen[p.String()] = true
		}
	}
}
