package forge

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"norn/pkg/forge/objects"
)

// documentedRole is one of the Roles in docs/rbac.md.
type documentedRole struct {
	Metadata struct{ Name, Namespace string }
	Rules    []struct {
		Groups    []string `yaml:"apiGroups"`
		Resources []string `yaml:"resources"`
		Verbs     []string `yaml:"verbs"`
	}
}

func (r documentedRole) granted() map[string]bool {
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

func documented(t *testing.T) []documentedRole {
	t.Helper()
	text, err := os.ReadFile("../../docs/rbac.md")
	if err != nil {
		t.Fatal(err)
	}
	var roles []documentedRole
	for i, part := range strings.Split(string(text), "```") {
		if source, ok := strings.CutPrefix(part, "yaml\n"); ok && i%2 == 1 {
			var r documentedRole
			if err := yaml.Unmarshal([]byte(source), &r); err != nil {
				t.Fatal(err)
			}
			roles = append(roles, r)
		}
	}
	if len(roles) != 3 {
		t.Fatalf("%d Roles in docs/rbac.md, want 3", len(roles))
	}
	return roles
}

func used(grants []Grant) map[string]bool {
	out := map[string]bool{}
	for _, p := range Permissions("", grants) {
		out[p.Verb+" "+p.Resource+"."+p.Group] = true
	}
	return out
}

// docs/rbac.md grants the verbs that the commands use, and no others.
func TestGrantsAreDocumented(t *testing.T) {
	var all []Grant
	for _, c := range AllGrants() {
		all = append(all, c.Grants...)
	}
	roles, routes := documented(t), append(RouteGrants(objects.KindIngress), RouteGrants(objects.KindHTTPRoute)...)
	for i, grants := range [][]Grant{all, TunnelGrants(), routes} {
		page, list := roles[i].granted(), used(grants)
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

// Each command has grants and names each permission once.
func TestGrants(t *testing.T) {
	for _, c := range AllGrants() {
		if len(c.Grants) == 0 {
			t.Errorf("%s uses nothing", c.Name)
		}
		seen := map[string]bool{}
		for _, p := range Permissions("ns", c.Grants) {
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
