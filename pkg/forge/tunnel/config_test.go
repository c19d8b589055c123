package tunnel

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

const configured = `# The tunnel of the house.
tunnel: norn
credentials-file: /etc/cloudflared/creds.json   # mounted

ingress:
  # The shop, by hand.
  - hostname: shop.example.com
    service: http://shop:80   # keep
    originRequest:
      noTLSVerify: true

  - hostname: "api.example.com"
    path: /v1
    service: http://api-v1:80
  # Everything else.
  - service: http_status:404
# The end.
warp-routing: {enabled: false}
`

var blog = Rule{Host: "blog.example.com", Service: "http://blog.default.svc.cluster.local:80"}

const blogLines = "  - hostname: blog.example.com\n    service: http://blog.default.svc.cluster.local:80\n"

// insert inserts rule and checks the result.
func insert(t *testing.T, text string, rule Rule) string {
	t.Helper()
	in, err := parseIngress(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := in.insertRule(rule)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Route(out, rule.Host); err != nil || got != rule.Service {
		t.Fatalf("Route(%q) = %q, %v; want %q in\n%s", rule.Host, got, err, rule.Service, out)
	}
	last, err := parseIngress(out)
	if err != nil || len(last.rules) == 0 || !last.rules[len(last.rules)-1].matchesAll() {
		t.Fatalf("the last rule is not a catch-all, error %v:\n%s", err, out)
	}
	return out
}

func remove(t *testing.T, text, host string) string {
	t.Helper()
	in, err := parseIngress(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := in.removeRule(host)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// insertRule keeps the layout of a block list.
func TestInsertRule(t *testing.T) {
	const rules, notFound = "ingress:\n", "  - service: http_status:404"
	for _, c := range []struct{ name, before, after string }{
		{
			"before the catch-all and its comment", configured,
			strings.Replace(configured, "  # Everything else.\n", blogLines+"  # Everything else.\n", 1),
		},
		{"empty", "", rules + blogLines + notFound + "\n"},
		{"no ingress", "tunnel: x", "tunnel: x\n" + rules + blogLines + notFound + "\n"},
		{
			"no catch-all",
			"ingress:\n- hostname: a.example.com\n  service: http://a:80\n",
			"ingress:\n- hostname: a.example.com\n  service: http://a:80\n- hostname: blog.example.com\n" +
				"  service: http://blog.default.svc.cluster.local:80\n- service: http_status:404\n",
		},
		{"no newline at the end", rules + notFound, rules + blogLines + notFound},
		{
			"only a catch-all",
			rules + "  - service: http_status:503\n",
			rules + blogLines + "  - service: http_status:503\n",
		},
		{
			"catch-all with a star",
			rules + "  - hostname: \"*\"\n    service: http://all:80\n",
			rules + blogLines + "  - hostname: \"*\"\n    service: http://all:80\n",
		},
		{
			"Windows line ends",
			"ingress:\r\n  - service: http_status:404\r\n",
			"ingress:\r\n" + strings.ReplaceAll(blogLines, "\n", "\r\n") + "  - service: http_status:404\r\n",
		},
		{
			"dash on its own line",
			rules + "  -\n    service: http_status:404\n",
			rules + blogLines + "  -\n    service: http_status:404\n",
		},
		{"unchanged rule", rules + blogLines + notFound + "\n", rules + blogLines + notFound + "\n"},
		{
			"rule with another service",
			rules + "  - hostname: blog.example.com\n    service: 'http://old:80' # why\n" + notFound + "\n",
			rules + "  - hostname: blog.example.com\n" +
				"    service: 'http://blog.default.svc.cluster.local:80' # why\n" + notFound + "\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := insert(t, c.before, blog); got != c.after {
				t.Errorf("got\n%s\nwant\n%s", got, c.after)
			}
		})
	}
}

// insertRule rewrites other layouts, with their comments.
func TestInsertRuleRewrites(t *testing.T) {
	for _, before := range []string{
		"ingress: [{hostname: a.example.com, service: 'http://a:80'}, {service: 'http_status:404'}]\n",
		"ingress: []\n", "ingress:\n", "{tunnel: x, ingress: [{service: http_status:404}]}\n",
		"x: &r {service: http_status:404}\ningress:\n  - *r\n",
		"ingress: # the rules\n  - {hostname: a.example.com, service: http://a:80} # a\n  - service: http_status:404\n",
	} {
		after := insert(t, before, blog)
		for _, kept := range []string{"# the rules", "# a", "a.example.com", "tunnel: x"} {
			if strings.Contains(before, kept) && !strings.Contains(after, kept) {
				t.Errorf("%q is missing after the rewrite of\n%s\ninto\n%s", kept, before, after)
			}
		}
	}
}

// Edits handle multi-line values of the rule and of its neighbours.
func TestEditMultilineRules(t *testing.T) {
	const a = "  - hostname: a.x\n    service: http://a:80\n    originRequest:\n      httpHostHeader: foo\n        bar\n"
	const b = "  - hostname: b.x\n    service: http://b:80\n    originRequest:\n" +
		"      caPool: |-\n        one\n\n        two\n      other: \"x\n        y\"\n"
	const rest = "  # The rest.\n  - service: http_status:404\n"
	if got := remove(t, "ingress:\n"+a+b+rest, "b.x"); got != "ingress:\n"+a+rest {
		t.Errorf("got\n%s", got)
	}
	if got := remove(t, "ingress:\n"+b+a+rest, "b.x"); got != "ingress:\n"+a+rest {
		t.Errorf("got\n%s", got)
	}
	if got := insert(t, "ingress:\n"+b+a+rest, blog); got != "ingress:\n"+b+a+blogLines+rest {
		t.Errorf("got\n%s", got)
	}
}

// removeRule undoes insertRule byte for byte.
func TestRemoveRule(t *testing.T) {
	for _, text := range []string{
		configured,
		"ingress:\n  - service: http_status:404\n",
		"ingress:\r\n  - hostname: a.b\r\n    service: x\r\n  - service: http_status:404\r\n",
	} {
		if got := remove(t, insert(t, text, blog), blog.Host); got != text {
			t.Errorf("got\n%s\nwant\n%s", got, text)
		}
	}
	got := remove(t, configured, "shop.example.com")
	if strings.Contains(got, "shop.example.com") || strings.Contains(got, "noTLSVerify") || !strings.Contains(got, "/v1") {
		t.Errorf("got\n%s", got)
	}
	if got := remove(t, configured, "api.example.com"); got != configured { // that rule has a path
		t.Errorf("got\n%s", got)
	}
}

func TestParseIngressRejects(t *testing.T) {
	for _, text := range []string{
		"ingress: [", "- a", "ingress: {a: b}", "ingress: text", "{a: b}: c\ningress: []", "a: &a [b]\n*a : c\ningress: []",
	} {
		if in, err := parseIngress(text); err == nil {
			t.Errorf("parseIngress(%q) = %v, want an error", text, in)
		}
	}
}

func tunnelConfig(text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: ConfigMap}, Data: map[string]string{ConfigKey: text}}
}

// A ConfigMap without a configuration is left alone.
func TestEditWithoutConfig(t *testing.T) {
	for _, data := range []map[string]string{nil, {"other": "x"}} {
		m := &corev1.ConfigMap{Data: data}
		for _, rule := range []Rule{blog, {}} {
			_, _, err := edit(m, "default/blog", rule, true)
			if !errors.Is(err, ErrNoConfig) || len(m.Data) != len(data) || len(m.Annotations) > 0 {
				t.Errorf("rule %q: error %v, data %v, annotations %v", rule.Host, err, m.Data, m.Annotations)
			}
		}
	}
}

// A rule with another service is a conflict, unless the app owns it.
func TestEditOwnership(t *testing.T) {
	m := tunnelConfig(configured)
	rule := Rule{Host: "shop.example.com", Service: "http://other:80"}
	if _, _, err := edit(m, "default/other", rule, false); err == nil || m.Data[ConfigKey] != configured {
		t.Errorf("error %v for a rule that no app owns, want a conflict", err)
	}
	if _, _, err := edit(m, "default/blog", blog, false); err != nil {
		t.Fatal(err)
	}
	moved := Rule{Host: blog.Host, Service: "http://blog2.default.svc.cluster.local:80"}
	if _, _, err := edit(m, "default/thief", moved, false); err == nil {
		t.Error("no conflict for a rule that another app owns")
	}
	if _, _, err := edit(m, "default/blog", moved, false); err != nil {
		t.Error(err)
	}
	renamed := Rule{Host: "new.example.com", Service: moved.Service}
	removed, _, err := edit(m, "default/blog", renamed, false)
	if err != nil || !slices.Equal(removed, []string{blog.Host}) || strings.Contains(m.Data[ConfigKey], blog.Host) {
		t.Errorf("removed %q, %v:\n%s", removed, err, m.Data[ConfigKey])
	}
	if _, _, err := edit(m, "default/blog", Rule{}, false); err != nil || m.Data[ConfigKey] != configured {
		t.Errorf("%v:\n%s", err, m.Data[ConfigKey])
	}
	pending := pending("default/blog", configured)
	if m.Annotations[metadata.RulesAnnotation] != "" || m.Annotations[metadata.RestartPendingAnnotation] != pending {
		t.Errorf("annotations %v", m.Annotations)
	}
}

// A wildcard in an earlier rule shadows the rule.
func TestEditShadow(t *testing.T) {
	const blogRule = "- hostname: blog.example.com\n  service: http://blog.default.svc.cluster.local:80\n"
	for text, want := range map[string]string{
		"ingress:\n- hostname: '*.example.com'\n  service: x\n- service: http_status:404\n":                 "",
		"ingress:\n- hostname: '*.example.com'\n  service: x\n" + blogRule:                                  "*.example.com",
		"ingress:\n- hostname: '*.example.com'\n  path: /x\n  service: x\n- service: http_status:404\n":     "",
		"ingress:\n- hostname: '*.example.org'\n  service: x\n- service: http_status:404\n":                 "",
		"ingress:\n- service: http_status:404\n" + blogRule:                                                 "everything",
		"ingress:\n- service: http_status:404\n- hostname: '*.example.com'\n  service: x\n":                 "",
		"ingress:\n" + blogRule + "- hostname: '*.example.com'\n  service: x\n- service: http_status:404\n": "",
	} {
		if _, shadow, err := edit(tunnelConfig(text), "default/blog", blog, false); err != nil || shadow != want {
			t.Errorf("shadow %q, %v; want %q in\n%s", shadow, err, want, text)
		}
	}
}

// cloudflared compares hosts in their IDNA form and ignores case, except for wildcards. A host with a trailing dot is a
// different host.
func TestFindHost(t *testing.T) {
	for _, c := range []struct {
		rule, host string
		want       bool
	}{
		{"blog.example.com", "blog.example.com", true},
		{"Blog.Example.COM", "blog.example.com", true},
		{"bücher.example", "xn--bcher-kva.example", true},
		{"BÜCHER.example", "xn--bcher-kva.example", true},
		{"blog.example.com.", "blog.example.com", false},
		{"'*.example.com'", "*.example.com", true},
		{"'*.Example.com'", "*.example.com", false},
		{"'*.example.com'", "blog.example.com", false},
	} {
		got, err := Route("ingress:\n- hostname: "+c.rule+"\n  service: http://x:1\n", c.host)
		if found := got != ""; err != nil || found != c.want {
			t.Errorf("rule for %s, host %s: found %v, error %v", c.rule, c.host, found, err)
		}
	}
	other := tunnelConfig("ingress:\n- hostname: Blog.Example.COM\n  service: http://old:80\n- service: http_status:404\n")
	if _, _, err := edit(other, "default/blog", blog, false); err == nil {
		t.Error("no conflict with a rule in upper case")
	}
}

// A correct rule stays the same byte for byte, and without an owner unless it is adopted.
func TestEditRightRule(t *testing.T) {
	const service = "http://blog.default.svc.cluster.local:80"
	for _, text := range []string{
		"ingress:\n  - hostname: \"blog.example.com\"\n    service: \"" + service + "\"\n  - service: http_status:404\n",
		"ingress:\n  - service: '" + service + "'\n    hostname: Blog.example.com\n",
		`{"ingress": [{"hostname": "blog.example.com", "service": "` + service + `"},  {"service":"http_status:404"}]}`,
		"a: &a {service: '" + service + "'}\ningress:\n- {hostname: blog.example.com, <<: *a}\n- service: http_status:404\n",
		"s: &s " + service + "\ningress:\n- {hostname: blog.example.com, service: *s}\n- service: http_status:404\n",
	} {
		for _, adopt := range []bool{false, true} {
			m := tunnelConfig(text)
			_, _, err := edit(m, "default/blog", blog, adopt)
			owned := m.Annotations[metadata.RulesAnnotation] != ""
			if err != nil || m.Data[ConfigKey] != text || owned != adopt || Unfinished(m, "default/blog") {
				t.Errorf("adopt %v: error %v, annotations %v, text\n%s", adopt, err, m.Annotations, m.Data[ConfigKey])
			}
		}
	}
}

// A new rule comes before a wildcard that would take its requests.
func TestInsertBeforeWildcard(t *testing.T) {
	const first, wild = "ingress:\n- hostname: a.x\n  service: y\n", "# Wild.\n- hostname: '*.example.com'\n  service: z\n"
	const rest = "- service: http_status:404\n"
	want := first + strings.ReplaceAll(strings.TrimPrefix(blogLines, "  "), "\n  ", "\n") + wild + rest
	if got := insert(t, first+wild+rest, blog); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A flow list and JSON stay in flow style, and an anchored list keeps its anchor.
func TestRewriteKeepsStyle(t *testing.T) {
	for before, want := range map[string]string{
		"ingress: [{service: 'http_status:404'}]\n": "ingress: [{hostname: blog.example.com, " +
			"service: 'http://blog.default.svc.cluster.local:80'}, {service: 'http_status:404'}]\n",
		"ingress: [{hostname: a.x, service: b, originRequest: , path: ~}, {service: c}]\n": "ingress: [{hostname: a.x, " +
			"service: b, originRequest: null, path: ~}, {hostname: blog.example.com, " +
			"service: 'http://blog.default.svc.cluster.local:80'}, {service: c}]\n",
		"ingress: &rules [{service: 'http_status:404'}]\n": "ingress: &rules [{hostname: blog.example.com, " +
			"service: 'http://blog.default.svc.cluster.local:80'}, {service: 'http_status:404'}]\n",
	} {
		if got := insert(t, before, blog); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		before = strings.ReplaceAll(before, "originRequest: ,", "originRequest: null,")
		if got := remove(t, insert(t, before, blog), blog.Host); got != before {
			t.Errorf("after removal\n%s\nwant\n%s", got, before)
		}
	}
}

// norn does not edit rules that share parts with others, and says what to do instead.
func TestEditSharedParts(t *testing.T) {
	for _, text := range []string{
		"x: &r [{service: http_status:404}]\ningress: *r\n",
		"s: &s http://old:80\ningress:\n- {hostname: blog.example.com, service: *s}\n- {hostname: b.x, service: *s}\n",
		"a: &a {service: http://old:80}\ningress:\n- {hostname: blog.example.com, <<: *a}\n- {hostname: b.x, <<: *a}\n",
	} {
		m := tunnelConfig(text)
		_, _, err := edit(m, "default/blog", blog, true)
		config, refused := errors.AsType[*ConfigError](err)
		if refused && !strings.Contains(config.Hint(), "kubectl edit configmap cloudflared --namespace cloudflared") {
			t.Errorf("hint %q", config.Hint())
		}
		if refused && m.Data[ConfigKey] == text {
			continue
		}
		got, routeErr := Route(m.Data[ConfigKey], "b.x")
		if err != nil || routeErr != nil || got != "http://old:80" {
			t.Errorf("%v, %v: b.x leads to %q in\n%s", err, routeErr, got, m.Data[ConfigKey])
		}
	}
}

// edit is Edit for one rule, or none if it has no host. It returns the pattern that shadows the rule.
func edit(m *corev1.ConfigMap, app string, rule Rule, adopt bool) (removed []string, shadow string, err error) {
	var rules []Rule
	if rule.Host != "" {
		rules = []Rule{rule}
	}
	removed, shadows, err := Edit(m, app, rules, adopt)
	for _, s := range shadows {
		shadow = s.Pattern
	}
	return removed, shadow, err
}

// An app with several hosts has a rule for each. An error in one changes nothing, and a host that is dropped loses its
// rule alone.
func TestEditSeveralHosts(t *testing.T) {
	www := Rule{Host: "www.example.com", Service: blog.Service}
	m := tunnelConfig(configured)
	if _, _, err := Edit(m, "default/blog", []Rule{blog, www}, false); err != nil {
		t.Fatal(err)
	}
	both := m.Data[ConfigKey]
	for _, rule := range []Rule{blog, www} {
		if got, err := Route(both, rule.Host); err != nil || got != rule.Service {
			t.Errorf("%s leads to %q, %v", rule.Host, got, err)
		}
	}
	taken := []Rule{
		blog, {Host: "new.example.com", Service: blog.Service}, {Host: "shop.example.com", Service: "http://x:80"},
	}
	if _, _, err := Edit(m, "default/blog", taken, false); err == nil || m.Data[ConfigKey] != both {
		t.Errorf("error %v, want a conflict and no change:\n%s", err, m.Data[ConfigKey])
	}
	removed, _, err := Edit(m, "default/blog", []Rule{www}, false)
	if err != nil || !slices.Equal(removed, []string{blog.Host}) || !strings.Contains(m.Data[ConfigKey], www.Host) {
		t.Errorf("removed %q, %v:\n%s", removed, err, m.Data[ConfigKey])
	}
	if _, _, err := Edit(m, "default/blog", nil, false); err != nil || m.Data[ConfigKey] != configured {
		t.Errorf("%v:\n%s", err, m.Data[ConfigKey])
	}
}
