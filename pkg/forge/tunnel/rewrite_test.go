package tunnel

import (
	"errors"
	"strings"
	"testing"

	"norn/pkg/forge/objects"
)

// A configuration that is encoded again keeps all its comments. If the encoder would lose one, norn does not edit it.
func TestRewriteKeepsComments(t *testing.T) {
	const text = "# First.\n\n# Second.\ntunnel: x # name\n# Rules.\n" +
		"ingress: [{hostname: a.x, service: b}, {service: c}] # list\n# End.\n"
	comments := func(text string) int { return strings.Count(text, "#") }
	m := tunnelConfig(text)
	for _, rule := range []Rule{blog, {}} {
		if _, _, err := edit(m, "default/blog", rule, true); err != nil || comments(m.Data[ConfigKey]) != comments(text) {
			t.Errorf("%v:\n%s", err, m.Data[ConfigKey])
		}
	}
	inside := strings.Replace(text, "ingress: [", "ingress: # why\n  [ # each\n    ", 1)
	m = tunnelConfig(inside)
	_, _, err := edit(m, "default/blog", blog, true)
	refused := err != nil && strings.Contains(err.Error(), "keep its comments") && m.Data[ConfigKey] == inside
	if !refused && comments(m.Data[ConfigKey]) != comments(inside) {
		t.Errorf("%v:\n%s", err, m.Data[ConfigKey])
	}
}

// A rule without a service cannot be taken over. The app's own one is an error that says where it is. teardown removes
// it.
func TestEditRuleWithoutService(t *testing.T) {
	const text = "ingress:\n  - hostname: blog.example.com\n  - service: http_status:404\n"
	for _, adopt := range []bool{false, true} {
		m := tunnelConfig(text)
		_, _, err := edit(m, "default/blog", blog, adopt)
		conflict, ok := errors.AsType[*objects.ConflictError](err)
		if !ok || !conflict.Final || conflict.Found != "it has no service" || m.Data[ConfigKey] != text {
			t.Errorf("adopt %v: %v", adopt, err)
		}
	}
	m := tunnelConfig(text)
	if err := (Owners{blog.Host: "default/blog"}).Annotate(m); err != nil {
		t.Fatal(err)
	}
	_, _, err := edit(m, "default/blog", blog, false)
	if err == nil || !strings.Contains(err.Error(), "line 2: the rule for blog.example.com has no service") {
		t.Errorf("the app's own rule: %v", err)
	}
	_, _, err = edit(m, "default/blog", Rule{}, false)
	if want := "ingress:\n  - service: http_status:404\n"; err != nil || m.Data[ConfigKey] != want {
		t.Errorf("removed: %v:\n%s", err, m.Data[ConfigKey])
	}
}

// What norn cannot keep, it refuses, and says why.
func TestEditRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"ingress: &l [{service: x}]\ny: *l\n":                         "norn cannot change its rule alone",
		"ingress:\n- service: x\n---\ningress: []\n":                  "",
		"ingress: [{service: x}]\n---\nother: document\n":             "single YAML document",
		"base: &b {ingress: [{service: x}]}\n<<: *b\n":                "the rules come from a merged mapping",
		"tunnel: a\ntunnel: b\ningress: []\n":                         "cloudflared cannot read it",
		"ingress:\n- ~\n":                                             "line 2: a rule under ingress is empty",
		"ingress:\n- {hostname: blog.example.com, service: {a: b}}\n": "cloudflared cannot read it",
		"{tunnel: x}\n": "norn cannot edit this layout",
	} {
		m := tunnelConfig(text)
		_, _, err := edit(m, "default/blog", blog, true)
		switch {
		case want == "" && err == nil && strings.HasSuffix(m.Data[ConfigKey], "---\ningress: []\n"):
		case want == "" || err == nil || !strings.Contains(err.Error(), want) || m.Data[ConfigKey] != text:
			t.Errorf("%q: %v, and the text\n%s", text, err, m.Data[ConfigKey])
		}
	}
}
