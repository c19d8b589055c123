package tunnel

import "testing"

func TestRoute(t *testing.T) {
	const text = "ingress:\n  - hostname: a.example.com\n    service: http://a:80\n  - service: http_status:404\n"
	for host, want := range map[string]string{"a.example.com": "http://a:80", "b.example.com": ""} {
		if got, err := Route(text, host); got != want || err != nil {
			t.Errorf("Route(%q) = %q, %v; want %q", host, got, err, want)
		}
	}
	if _, err := Route("ingress: {", "a"); err == nil {
		t.Error("no error for invalid YAML")
	}
}
