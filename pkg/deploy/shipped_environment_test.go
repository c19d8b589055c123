package deploy

import (
	"strings"
	"testing"

	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
)

// A version ships its own infraspec in the chosen environment, but not to another place than the checkout's.
func TestVersionInAnotherPlace(t *testing.T) {
	const head = "app: shop\nrole: worker\nenv: {A: base}\n"
	pin := strings.Repeat("0", 64)
	for _, c := range []struct{ name, committed, checkout, chosen, want string }{
		{
			"the same place", "environments: {e: {namespace: a, env: {A: old}}}\n",
			"environments: {e: {namespace: a, env: {A: new}}}\n", "e", "",
		},
		{
			"a newer pin", "environments: {e: {env: {A: old}}}\n",
			"environments: {e: {cluster: \"sha256:" + pin + "\"}}\n", "e", "",
		},
		{
			"another namespace", "environments: {e: {namespace: b}}\n", "environments: {e: {namespace: a}}\n", "e",
			`environment e has namespace b in the infraspec of`,
		},
		{
			"another cluster", "environments: {e: {cluster: \"sha256:" + pin + "\"}}\n", "environments: {e: {}}\n", "e",
			"environment e has cluster sha256:0",
		},
		{"no environments", "", "environments: {e: {}}\n", "e", "has no environment e"},
		{"no such environment", "environments: {f: {}}\n", "environments: {e: {}}\n", "e", "has no environment e"},
		{"none chosen", "environments: {e: {}}\n", "", "", "has environments, and none is chosen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := checkout(t, map[string]string{"infraspec.yaml": head + c.committed})
			write(t, dir, map[string]string{"infraspec.yaml": head + c.checkout})
			r, said := running(t, dir, Options{Version: Version{Selection: source.Selection{Ref: "HEAD"}}})
			chosen, err := r.spec.In(c.chosen)
			if err != nil {
				t.Fatal(err)
			}
			r = r.withSpec(chosen)
			tree, _, err := r.layOut(t.Context(), said)
			if err != nil {
				t.Fatal(err)
			}
			var spec *infraspec.Spec
			spec, _, err = r.specOf(t.Context(), said, tree)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "" && (spec.Env["A"] != "old" || spec.Environment != c.chosen):
				t.Errorf("env %v of environment %q", spec.Env, spec.Environment)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}
