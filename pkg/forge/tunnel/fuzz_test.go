package tunnel

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"gopkg.in/yaml.v3"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
)

// anything is a configuration as a YAML decoder without knowledge of norn reads it. A value's type counts.
type anything struct {
	Ingress []map[any]any
	Rest    map[string]any `yaml:",inline"`
}

// read decodes a text, and reports whether cloudflared could decode it too.
func read(text string) (anything, []cloudflaredRule, error) {
	var all anything
	var typed configuration
	err := yaml.Unmarshal([]byte(text), &all)
	if err == nil {
		err = yaml.Unmarshal([]byte(text), &typed)
	}
	if len(all.Ingress) != len(typed.Ingress) {
		err = errors.Join(err, errors.New("the rules differ by decoder"))
	}
	return all, typed.Ingress, err
}

// ruleOf returns the index of the first rule for host, or -1.
func ruleOf(rules []cloudflaredRule, host string) int {
	return slices.IndexFunc(rules, func(r cloudflaredRule) bool {
		return ingressRule{host: r.Hostname, path: r.Path}.serves(host)
	})
}

// situation is who owns what, and what is asked.
type situation struct {
	mine, theirs, adopt, remove, moved bool
}

func situationOf(bits uint8) situation {
	return situation{bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0, bits&16 != 0}
}

const (
	app     = "default/blog"
	oldHost = "old.example.com" // where the app was before
)

// Whoever owns the rules, Edit either refuses and changes nothing, or changes the app's rules and nothing else: the
// rules of others, their order, all other settings and the comments stay, and cloudflared can read the result.
func FuzzIngress(f *testing.F) {
	for _, seed := range fuzzSeeds {
		for bits := range uint8(32) {
			f.Add(seed, bits)
		}
	}
	f.Fuzz(func(t *testing.T, text string, bits uint8) {
		s := situationOf(bits)
		m := tunnelConfig(text)
		owners := Owners{}
		if s.moved {
			owners[oldHost] = app
		}
		switch {
		case s.mine:
			owners[blog.Host] = app
		case s.theirs:
			owners[blog.Host] = "default/other"
		}
		if err := owners.Annotate(m); err != nil {
			t.Fatal(err)
		}
		annotated := fmt.Sprint(m.Annotations)
		rule := blog
		if s.remove {
			rule = Rule{}
		}
		_, _, err := edit(m, app, rule, s.adopt)
		after := m.Data[ConfigKey]
		if err != nil {
			if after != text || fmt.Sprint(m.Annotations) != annotated {
				t.Fatalf("%v, but something has changed: %v\n%s", err, m.Annotations, after)
			}
			checkRefusal(t, s, text, err)
			return
		}
		checkEdit(t, s, text, after)
		if _, _, err := edit(m, app, rule, false); err != nil || m.Data[ConfigKey] != after {
			t.Fatalf("a second edit: %v, and the text changes to\n%s", err, m.Data[ConfigKey])
		}
		if !s.remove && m.Annotations[metadata.RulesAnnotation] != "" {
			if _, _, err := edit(m, app, Rule{}, false); err == nil {
				if _, _, err := read(m.Data[ConfigKey]); err != nil {
					t.Fatalf("after the removal: %v\n%s", err, m.Data[ConfigKey])
				}
			}
		}
	})
}

// checkRefusal fails unless an error is one that a user can act on.
func checkRefusal(t *testing.T, s situation, text string, err error) {
	t.Helper()
	if conflict, ok := errors.AsType[*objects.ConflictError](err); ok {
		if s.remove || s.mine {
			t.Fatalf("conflict with the app's own rule: %v\n%s", conflict, text)
		}
		return
	}
	if _, ok := errors.AsType[*ConfigError](err); !ok {
		t.Fatalf("error %T: %v", err, err)
	}
}

// checkEdit compares a configuration before and after an edit.
func checkEdit(t *testing.T, s situation, before, after string) {
	t.Helper()
	if before == after {
		return // an edit that changes nothing keeps what others did
	}
	was, wasRules, err := read(before)
	if err != nil {
		t.Fatalf("edited what cloudflared cannot read: %v\n%s", err, before)
	}
	is, isRules, err := read(after)
	if err != nil {
		t.Fatalf("cloudflared cannot read it: %v\n%s", err, after)
	}
	want := was.Ingress
	drop := func(host string) {
		if at := ruleOf(wasRules, host); at >= 0 {
			want, wasRules = slices.Delete(want, at, at+1), slices.Delete(wasRules, at, at+1)
		}
	}
	if s.moved {
		drop(oldHost)
	}
	switch at := ruleOf(wasRules, blog.Host); {
	case s.remove && s.mine:
		drop(blog.Host)
	case s.remove:
	case at >= 0:
		if wasRules[at].Service != blog.Service && !s.mine && (s.theirs || !s.adopt) {
			t.Fatalf("took over the rule of others:\n%s", after)
		}
		want[at]["service"] = blog.Service
	default:
		added := map[any]any{"hostname": blog.Host, "service": blog.Service}
		to := ruleOf(isRules, blog.Host)
		if to < 0 || to > len(want) {
			t.Fatalf("the rule is missing:\n%s", after)
		}
		for i, r := range isRules[:to] {
			if (r.Hostname == "" || r.Hostname == "*") && r.Path == "" {
				t.Fatalf("rule %d comes first and takes all requests:\n%s", i, after)
			}
		}
		if to == len(want) { // norn adds a missing catch-all rule
			want = append(want, map[any]any{"service": catchAll})
		}
		want = slices.Insert(want, to, added)
	}
	got := fmt.Sprintf("%#v", append([]map[any]any{}, is.Ingress...))
	if want := fmt.Sprintf("%#v", append([]map[any]any{}, want...)); got != want {
		t.Fatalf("rules\n%s\nwant\n%s\nin\n%s", got, want, after)
	}
	if got, want := fmt.Sprintf("%#v", is.Rest), fmt.Sprintf("%#v", was.Rest); got != want {
		t.Fatalf("other settings\n%s\nwant\n%s\nin\n%s", got, want, after)
	}
	checkKeyOrder(t, before, after)
}

// checkKeyOrder fails unless the top-level keys have kept their order.
func checkKeyOrder(t *testing.T, before, after string) {
	t.Helper()
	keys := func(text string) []string {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		var all []string
		for i := 0; len(doc.Content) > 0 && i+1 < len(doc.Content[0].Content); i += 2 {
			key := doc.Content[0].Content[i]
			if key.ShortTag() == "!!null" { // written as nothing, ~ or null
				key.Value = ""
			}
			all = append(all, key.Value)
		}
		return all
	}
	was, is := keys(before), keys(after)
	if len(is) > len(was) { // norn adds a missing list of rules
		is = is[:len(is)-1]
	}
	if !slices.Equal(was, is) {
		t.Fatalf("keys %q became %q:\n%s", was, is, after)
	}
}

var fuzzSeeds = []string{
	configured,
	"ingress: [{hostname: a, service: b}]",
	"ingress:\n  - &a {service: x}\n  - *a\n",
	"ingress:\n- hostname: Blog.Example.COM\n  service: \"http://old:80\"\n- service: http_status:404\n",
	"ingress:\n- hostname: bücher.example\n  service: 'x'\n- hostname: blog.example.com.\n  service: y\n",
	"ingress:\n  - hostname: 'blog.example.com'\n    service: http://blog.default.svc.cluster.local:80 # keep\n",
	`{"tunnel": "x", "ingress": [{"hostname": "a.x", "service": "http://a"}, {"service": "http_status:404"}]}`,
	"x: &r [{service: x}]\ningress: *r\n", "x: &r {service: x}\ningress:\n- *r\n- {hostname: blog.example.com, <<: *r}\n",
	"ingress: !!seq\n- hostname: '*.example.com'\n  service: x\n- hostname: '*'\n  service: y\n",
	"ingress:\r\n- service: x\r\n",
	"ingress:\n- hostname: a.x\n  path: \"^/v1\"\n  originRequest: {noTLSVerify: true}\n  service: |\n    x\n",
	"", "ingress:", "ingress: ~\n", "- x", "ingress: {a: b}",
	"\ufeffingress:\n-\n  service: x\n", "ingress:\n- ? a\n  : b\n",
	// What the audit found.
	"ingress:\n  - hostname: blog.example.com\n  - service: http_status:404\n",
	"ingress:\n  - hostname: blog.example.com\n    service:\n  - service: http_status:404\n",
	"ingress: &l [{service: 'http_status:404'}]\nx: *l\n",
	"ingress: [{hostname: a, service: b, originRequest: , c: ~}]\n",
	// Rules that move, that are merged and that are in a second document.
	"# Top.\n\n---\ningress:\n- hostname: old.example.com # was\n  service: x\n" +
		"# All.\n- service: http_status:404\n# End.\n",
	"base: &b\n  ingress: [{hostname: a.x, service: b}]\n<<: *b\n",
	"base: &b {service: x}\ningress:\n- <<: *b\n  hostname: blog.example.com\n" +
		"- hostname: old.example.com\n  <<: *b\n- *b\n",
	"ingress:\n- service: x\n---\ningress:\n- service: y\n",
	"tunnel: a\ntunnel: b\ningress:\n- service: x\n", "ingress: []\ningress:\n- service: x\n",
	"ingress:\n- hostname: 1.5\n  service: 80\n- ~\n- service: [a]\n",
	"a: 2001-01-01\nb: .nan\nc: !!binary aGk=\nd: 0o7\ne: 1_000\nf: <nil>\n" +
		"ingress: [{hostname: blog.example.com, service: !x y}]\n",
	"ingress:\n- &r\n  hostname: old.example.com\n  service: x\n- *r\nx: *r\n",
	"%YAML 1.1\n%TAG !e! tag:e.org,2000:\n---\nx: !e!y z\ningress: [{service: x}]\n...\n",
}
