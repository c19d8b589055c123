package infraspec

import (
	"errors"
	"strings"
	"testing"
)

const previewBase = `app: shop
role: webserver
port: 8080
hosts: {internal: shop, external: shop.example.com}
env: {GREETING: "hello {name}", URL: https://shop.example.com}
processes:
  api: {role: webserver, port: 9000, hosts: {internal: api}, env: {A: "{name}"}}
environments:
  staging: {namespace: staging, env: {B: "{name}"}}
`

// previewIn returns what a preview's infraspec says, or the error.
func previewIn(t *testing.T, environment, choice string) string {
	t.Helper()
	spec, _, err := Parse("f", []byte(previewBase+"  preview: "+environment+"\n"))
	if err != nil {
		return err.Error()
	}
	in, err := spec.In(choice)
	if err != nil {
		return err.Error()
	}
	own, err := spec.Chosen(choice)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{
		in.App, in.BaseApp(), in.Environment, own.Namespace, in.TTL().String(), in.Hosts.Internal, in.Hosts.External.String(),
		in.Env["GREETING"], in.Env["URL"], in.Processes["api"].Hosts.Internal, in.Processes["api"].Env["A"],
		in.Processes["api"].Env["C"],
	}, " | ")
}

// A preview is an app of its own. {name} is its name in the values of the environment, and nowhere else.
func TestPreview(t *testing.T) {
	const hosts = `hosts: {external: "{name}.example.com"}`
	for _, c := range []struct{ name, environment, choice, want string }{
		{
			"the smallest", "{ttl: 72h, " + hosts + "}", "preview/pr-12",
			"shop-pr-12 | shop | preview/pr-12 |  | 72h0m0s | shop-pr-12 | pr-12.example.com | " +
				"hello {name} | https://shop.example.com | api-pr-12 | {name} | ",
		},
		{
			"all places",
			`{ttl: 90, namespace: "previews-{name}", hosts: {external: "{name}.{name}.com", internal: "s-{name}"}, ` +
				`env: {URL: "https://{name}.com"}, processes: {api: {hosts: {internal: "a-{name}"}, env: {C: "c {name}"}}}}`,
			"preview/a", "shop-a | shop | preview/a | previews-a | 1m30s | s-a | a.a.com | " +
				"hello {name} | https://a.com | a-a | {name} | c a",
		},
		{
			"its own namespace", `{ttl: 1h, namespace: "{name}", hosts: {external: null, internal: web}}`, "preview/a",
			"shop-a | shop | preview/a | a | 1h0m0s | web |  | hello {name} | https://shop.example.com | api-a | {name} | ",
		},
		{
			"no preview", "{ttl: 1h, " + hosts + "}", "staging",
			"shop | shop | staging | staging | 0s | shop | shop.example.com | " +
				"hello {name} | https://shop.example.com | api | {name} | ",
		},
		{
			"a pattern without a name", "{ttl: 1h, " + hosts + "}", "preview",
			"environment preview is a pattern for previews, and none is named",
		},
		{
			"an empty name", "{ttl: 1h, " + hosts + "}", "preview/",
			"environment preview is a pattern for previews, and none is named",
		},
		{"a bad name", "{ttl: 1h, " + hosts + "}", "preview/PR_1", `invalid name of a preview "PR_1"`},
		{"a path", "{ttl: 1h, " + hosts + "}", "preview/a/b", `invalid name of a preview "a/b"`},
		{
			"a name for another environment", "{ttl: 1h, " + hosts + "}", "staging/x",
			"environment staging has no previews, so staging/x does not exist",
		},
		{"no environment", "{ttl: 1h, " + hosts + "}", "prewiev/x", `no environment "prewiev" in f`},
		{
			"a long name", "{ttl: 1h, " + hosts + "}", "preview/" + strings.Repeat("a", 59),
			`f:1:6: error: environment preview/` + strings.Repeat("a", 59) + `: app "shop-`,
		},
		{
			"a name too long for a process", "{ttl: 1h, " + hosts + "}", "preview/" + strings.Repeat("a", 55),
			"for a Deployment of process api: 64 characters, at most 63",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := previewIn(t, c.environment, c.choice)
			if got != c.want && (c.want[:4] == "shop" || !strings.Contains(got, c.want)) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// A name that fits no label names the limit.
func TestPreviewLabel(t *testing.T) {
	text := "app: a\nrole: worker\nenvironments: {a-preview: {ttl: 1h}}\n"
	spec, _, err := Parse("f", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = spec.In("a-preview/" + strings.Repeat("a", 54))
	if err == nil || !strings.Contains(err.Error(), "is too long for a label: 64 characters, at most 63") {
		t.Errorf("error %v", err)
	}
	if found, ok := errors.AsType[Errors](err); !ok || found[0].Line != 1 || found[0].Source != "app: a" {
		t.Errorf("finding %+v", found)
	}
}

// norn validate finds what previews would share.
func TestPreviewFindings(t *testing.T) {
	for _, c := range []struct{ name, environment, want string }{
		{"protected", "{ttl: 1h, protected: true}", "an environment with ttl cannot be protected"},
		{
			"an inherited host", "{ttl: 1h}",
			"f:4:35: error: environment preview: hosts.external is the same in all previews; write {name} in it",
		},
		{
			"a shared Service", `{ttl: 1h, hosts: {external: null, internal: web}}`,
			"environment preview: hosts.internal is the same in all previews",
		},
		{"no preview", `{hosts: {external: "{name}.example.com"}}`, `hosts.external "{name}.example.com" is not a host name`},
		{"no pattern", `{namespace: "{name}"}`, `namespace "{name}" is not a DNS label`},
		{"a wrong namespace", `{ttl: 1h, namespace: "{nam}"}`, `namespace "{nam}" is not a DNS label`},
		{
			"a wrong host", `{ttl: 1h, hosts: {external: "{name}_x.example.com"}}`,
			`hosts.external "pr-1_x.example.com" is not a host`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Parse("f", []byte(previewBase+"  preview: "+c.environment+"\n"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// norn env show prints what the preview runs with.
func TestPreviewText(t *testing.T) {
	spec, _, err := Parse("f", []byte(previewBase+"  preview: {ttl: 1h, hosts: {external: \"{name}.example.com\"}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := spec.In("preview/pr-12")
	if err != nil {
		t.Fatal(err)
	}
	text, err := in.Text()
	if err != nil || !strings.Contains(string(text), "app: shop-pr-12,") ||
		!strings.Contains(string(text), "pr-12.example.com") || strings.Contains(string(text), "ttl") {
		t.Errorf("%v:\n%s", err, text)
	}
}
