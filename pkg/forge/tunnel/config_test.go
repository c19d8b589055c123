package tunnel

import (
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

// with edits text, and reads it back.
func with(t *testing.T, text string, rule Rule) string {
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
		t.Fatalf("%s leads to %q, %v:\n%s", rule.Host, got, err, out)
	}
	last, err := parseIngress(out)
	if err != nil || len(last.rules) == 0 || !last.rules[len(last.rules)-1].all() {
		t.Fatalf("the last rule is no catch-all, %v:\n%s", err, out)
	}
	return out
}

func without(t *testing.T, text, host string) string {
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

// Each layout that people write, before and after.
func TestRuleIsAdded(t *testing.T) {
	for _, c := range []struct{ name, before, after string }{
		{"before the catch-all and its comment", configured, strings.Replace(configured, "  # Everything else.\n", blogLines+"  # Everything else.\n", 1)},
		{"nothing there", "", "ingress:\n" + blogLines + "  - service: http_status:404\n"},
		{"no ingress", "tunnel: x", "tunnel: x\ningress:\n" + blogLines + "  - service: http_status:404\n"},
		{"no catch-all", "ingress:\n- hostname: a.example.com\n  service: http://a:80\n", "ingress:\n- hostname: a.example.com\n  service: http://a:80\n- hostname: blog.example.com\n  service: http://blog.default.svc.cluster.local:80\n- service: http_status:404\n"},
		{"no newline at the end", "ingress:\n  - service: http_status:404", "ingress:\n" + blogLines + "  - service: http_status:404"},
		{"only a catch-all", "ingress:\n  - service: http_status:503\n", "ingress:\n" + blogLines + "  - service: http_status:503\n"},
		{"a catch-all by its star", "ingress:\n  - hostname: \"*\"\n    service: http://all:80\n", "ingress:\n" + blogLines + "  - hostname: \"*\"\n    service: http://all:80\n"},
		{"windows", "ingress:\r\n  - service: http_status:404\r\n", "ingress:\r\n" + strings.ReplaceAll(blogLines, "\n", "\r\n") + "  - service: http_status:404\r\n"},
		{"a dash alone", "ingress:\n  -\n    service: http_status:404\n", "ingress:\n" + blogLines + "  -\n    service: http_status:404\n"},
		{"there already", "ingress:\n" + blogLines + "  - service: http_status:404\n", "ingress:\n" + blogLines + "  - service: http_status:404\n"},
		{"there with another service", "ingress:\n  - hostname: blog.example.com\n    service: 'http://old:80' # why\n  - service: http_status:404\n", "ingress:\n  - hostname: blog.example.com\n    service: http://blog.default.svc.cluster.local:80 # why\n  - service: http_status:404\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := with(t, c.before, blog); got != c.after {
				t.Errorf("got\n%s\nwant\n%s", got, c.after)
			}
		})
	}
}

// What cannot be edited in place is written anew, with its comments and in its order.
func TestRuleIsAddedToOtherLayouts(t *testing.T) {
	for _, before := range []string{
		"ingress: [{hostname: a.example.com, service: 'http://a:80'}, {service: 'http_status:404'}]\n",
		"ingress: []\n", "ingress:\n", "{tunnel: x, ingress: [{service: http_status:404}]}\n",
		"x: &r {service: http_status:404}\ningress:\n  - *r\n",
		"ingress: # the rules\n  - {hostname: a.example.com, service: http://a:80} # a\n  - service: http_status:404\n",
	} {
		after := with(t, before, blog)
		for _, kept := range []string{"# the rules", "# a", "a.example.com", "tunnel: x"} {
			if strings.Contains(before, kept) && !strings.Contains(after, kept) {
				t.Errorf("%q is lost:\n%s\nbecame\n%s", kept, before, after)
			}
		}
	}
}

// A rule ends where it ends: values over several lines go with it, and its neighbours keep theirs.
func TestNeighboursAreUnharmed(t *testing.T) {
	const a = "  - hostname: a.x\n    service: http://a:80\n    originRequest:\n      httpHostHeader: foo\n        bar\n"
	const b = "  - hostname: b.x\n    service: http://b:80\n    originRequest:\n      caPool: |-\n        one\n\n        two\n      other: \"x\n        y\"\n"
	const rest = "  # The rest.\n  - service: http_status:404\n"
	if got := without(t, "ingress:\n"+a+b+rest, "b.x"); got != "ingress:\n"+a+rest {
		t.Errorf("got\n%s", got)
	}
	if got := without(t, "ingress:\n"+b+a+rest, "b.x"); got != "ingress:\n"+a+rest {
		t.Errorf("got\n%s", got)
	}
	if got := with(t, "ingress:\n"+b+a+rest, blog); got != "ingress:\n"+b+a+blogLines+rest {
		t.Errorf("got\n%s", got)
	}
}

// To add and to take away again leaves every byte as it was.
func TestRuleIsTakenAway(t *testing.T) {
	for _, text := range []string{configured, "ingress:\n  - service: http_status:404\n", "ingress:\r\n  - hostname: a.b\r\n    service: x\r\n  - service: http_status:404\r\n"} {
		if got := without(t, with(t, text, blog), blog.Host); got != text {
			t.Errorf("got\n%s\nwant\n%s", got, text)
		}
	}
	if got := without(t, configured, "shop.example.com"); strings.Contains(got, "shop.example.com") || strings.Contains(got, "noTLSVerify") || !strings.Contains(got, "/v1") {
		t.Errorf("got\n%s", got)
	}
	if got := without(t, configured, "api.example.com"); got != configured { // it has a path, and is another rule
		t.Errorf("got\n%s", got)
	}
}

func TestBrokenConfigurations(t *testing.T) {
	for _, text := range []string{"ingress: [", "- a", "ingress: {a: b}", "ingress: text"} {
		if in, err := parseIngress(text); err == nil {
			t.Errorf("%q is taken: %v", text, in)
		}
	}
}

func tunnelConfig(text string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: ConfigMap}, Data: map[string]string{ConfigKey: text}}
}

// A host that leads elsewhere is a conflict, unless the app itself has led it there.
func TestTunnelOwnership(t *testing.T) {
	m := tunnelConfig(configured)
	rule := Rule{Host: "shop.example.com", Service: "http://other:80"}
	if _, _, err := Edit(m, "default/other", rule, false); err == nil || m.Data[ConfigKey] != configured {
		t.Errorf("a foreign rule was taken: %v", err)
	}
	if _, _, err := Edit(m, "default/blog", blog, false); err != nil {
		t.Fatal(err)
	}
	moved := Rule{Host: blog.Host, Service: "http://blog2.default.svc.cluster.local:80"}
	if _, _, err := Edit(m, "default/thief", moved, false); err == nil {
		t.Error("another app has taken the rule")
	}
	if _, _, err := Edit(m, "default/blog", moved, false); err != nil {
		t.Error(err)
	}
	gone, _, err := Edit(m, "default/blog", Rule{Host: "new.example.com", Service: moved.Service}, false)
	if err != nil || len(gone) != 1 || gone[0] != blog.Host || strings.Contains(m.Data[ConfigKey], blog.Host) {
		t.Errorf("gone %q, %v:\n%s", gone, err, m.Data[ConfigKey])
	}
	if _, _, err := Edit(m, "default/blog", Rule{}, false); err != nil || m.Data[ConfigKey] != configured || m.Annotations[metadata.RulesAnnotation] != "" || m.Annotations[metadata.RestartPendingAnnotation] != pending("default/blog", configured) {
		t.Errorf("%v, annotations %v:\n%s", err, m.Annotations, m.Data[ConfigKey])
	}
}

// A wildcard ahead would take what is meant for the rule.
func TestShadow(t *testing.T) {
	for text, want := range map[string]string{
		"ingress:\n- hostname: '*.example.com'\n  service: x\n- service: http_status:404\n":                                                                "*.example.com",
		"ingress:\n- hostname: '*.example.com'\n  path: /x\n  service: x\n- service: http_status:404\n":                                                    "",
		"ingress:\n- hostname: '*.example.org'\n  service: x\n- service: http_status:404\n":                                                                "",
		"ingress:\n- service: http_status:404\n- hostname: blog.example.com\n  service: " + blog.Service + "\n":                                            "everything",
		"ingress:\n- service: http_status:404\n- hostname: '*.example.com'\n  service: x\n":                                                                "",
		"ingress:\n- hostname: blog.example.com\n  service: " + blog.Service + "\n- hostname: '*.example.com'\n  service: x\n- service: http_status:404\n": "",
	} {
		if _, shadow, err := Edit(tunnelConfig(text), "default/blog", blog, false); err != nil || shadow != want {
			t.Errorf("shadow %q, %v; want %q in\n%s", shadow, err, want, text)
		}
	}
}

// Whatever the text, the rule is in it afterwards, the others still are, and nothing panics.
func FuzzIngress(f *testing.F) {
	f.Add(configured)
	f.Add("ingress: [{hostname: a, service: b}]")
	f.Add("ingress:\n  - &a {service: x}\n  - *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		in, err := parseIngress(text)
		if err != nil {
			return
		}
		before := in.expectedRules()
		out, err := in.insertRule(blog)
		if err != nil {
			return
		}
		again, err := parseIngress(out)
		if err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if at := again.find(blog.Host); at < 0 || again.rules[at].service != blog.Service {
			t.Fatalf("the rule is not there:\n%s", out)
		}
		if len(again.rules) < len(before) {
			t.Fatalf("%d rules became %d:\n%s", len(before), len(again.rules), out)
		}
	})
}
