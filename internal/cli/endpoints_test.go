package cli

import (
	"testing"

	"norn/pkg/infraspec"
)

// The last lines of a deploy say how to reach the app.
func TestEndpoints(t *testing.T) {
	const web = "app: shop\nrole: webserver\nport: 3000\n"
	const inside = "in the cluster: http://shop-svc (namespace prod)\nfrom here: " +
		"kubectl port-forward -n prod svc/shop-svc 8080:80"
	for file, want := range map[string]string{
		web:                                   "",
		web + "hosts: {internal: shop-svc}\n": inside,
		web + "hosts: {internal: shop-svc, external: shop.example.com}\n": "https://shop.example.com, " +
			"if the tunnel routes it\n" + inside,
		web + "hosts: {internal: shop-svc, external: [a.example.com, b.example.com]}\nroute: {gateway: edge/public}\n": "" +
			"https://a.example.com\nhttps://b.example.com\n" + inside,
		web + "hosts: {internal: shop-svc, external: a.example.com}\nroute: {ingress: nginx, tls: a}\n": "" +
			"https://a.example.com\n" + inside,
		web + "hosts: {internal: shop-svc, external: a.example.com}\nroute: {ingress: nginx}\n": "" +
			"http://a.example.com\n" + inside,
		"app: shop\nrole: worker\n": "",
	} {
		spec, _, err := infraspec.Parse("infraspec.yaml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if got := endpoints(spec, "prod"); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}
