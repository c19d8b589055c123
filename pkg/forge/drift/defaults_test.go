package drift

import "testing"

func TestIsDefault(t *testing.T) {
	for _, c := range []struct {
		name string
		have any
		want bool
	}{
		{"scheme", "HTTP", true},
		{"scheme", "HTTPS", false},
		{"timeoutSeconds", 1.0, true},
		{"timeoutSeconds", 5.0, false},
		{"securityContext", map[string]any{}, true},
		{"securityContext", map[string]any{"runAsUser": 1.0}, false},
		{"value", "HTTP", false},
	} {
		if got := isDefault(c.name, c.have); got != c.want {
			t.Errorf("isDefault(%q, %v) = %t", c.name, c.have, got)
		}
	}
}
