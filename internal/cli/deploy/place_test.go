package deploy

import (
	"testing"

	"norn/pkg/infraspec"
)

// The last line of a deploy says how requests reach the app.
func TestPlace(t *testing.T) {
	const web = "app: shop\nrole: webserver\nport: 3000\n"
	const inside = "http://shop-svc in namespace prod; from here: kubectl port-forward -n prod svc/shop-svc 8080:80"
	for file, want := range map[string]string{
		web:                                   "",
		web + "hosts: {internal: shop-svc}\n": inside,
		web + "hosts: {internal: shop-svc, external: shop.example.com}\n": "https://shop.example.com, " +
			"if the tunnel routes it; in the cluster " + inside,
		"app: shop\nrole: worker\n": "",
	} {
		spec, _, err := infraspec.Parse("infraspec.yaml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if got := place(spec, "prod"); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}
