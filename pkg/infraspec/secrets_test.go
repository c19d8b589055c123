package infraspec

import (
	"fmt"
	"slices"
	"testing"
)

// A mapping of secrets has names with values in secrets.enc.yaml, references and files. Environments merge with it, and
// a list replaces it.
func TestSecretSources(t *testing.T) {
	const file = `app: shop
role: worker
secrets:
  PLAIN:
  EMPTY: {}
  DB: {from: shop-db.app/uri}
  KEY: {file: /run/tls.key}
  CERT: {from: tls/tls.crt, file: /run/tls.crt}
environments:
  same: {}
  more:
    secrets:
      PLAIN: {from: other/plain}
      DB: {from: null}
      CERT: {from: tls2/tls.crt}
      KEY: null
      NEW:
  list: {secrets: [DB]}
`
	spec, _, err := Parse("infraspec.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		environment, secrets, variables, files, references string
	}{
		{
			"same", "[PLAIN EMPTY KEY]", "[DB EMPTY PLAIN]", "[CERT KEY]",
			"[{CERT tls tls.crt} {DB shop-db.app uri}]",
		},
		{
			"more", "[EMPTY DB NEW]", "[DB EMPTY NEW PLAIN]", "[CERT]", "[{CERT tls2 tls.crt} {PLAIN other plain}]",
		},
		{"list", "[DB]", "[DB]", "[]", "[]"},
	} {
		in, err := spec.In(c.environment)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(in.Secrets, in.SecretVariables(), in.SecretFiles(), in.References())
		if want := fmt.Sprint(c.secrets, " ", c.variables, " ", c.files, " ", c.references); got != want {
			t.Errorf("%s:\n%s, want\n%s", c.environment, got, want)
		}
		for _, w := range in.Workloads() {
			if fmt.Sprint(w.References()) != fmt.Sprint(in.References()) {
				t.Errorf("%s: process %s has other references", c.environment, w.ProcessName())
			}
		}
	}
	same, _ := spec.In("same")
	more, _ := spec.In("more")
	want := []string{"secrets", "secrets.CERT", "secrets.KEY", "secrets.DB", "secrets.PLAIN"}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(same.Differing(more)))
	if !slices.Equal(got, want) {
		t.Errorf("differ in %q, want %q", got, want)
	}
}

// A list of names keeps its meaning.
func TestSecretList(t *testing.T) {
	spec, _, err := Parse("infraspec.yaml", []byte("app: shop\nrole: worker\nsecrets: [B, A]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(spec.Secrets, spec.SecretSources) != "[B A] map[]" || spec.SecretPath("A") != "secrets[1]" {
		t.Errorf("%v %v %v", spec.Secrets, spec.SecretSources, err)
	}
}
