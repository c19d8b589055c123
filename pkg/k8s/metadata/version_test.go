package metadata

import "testing"

func TestVersionName(t *testing.T) {
	for _, c := range []struct{ commit, image, want string }{
		{"0123456789abcdef", "x", "0123456789ab"},
		{"0123456789abcdef-dirty", "x", "0123456789ab-dirty"},
		{"0123", "x", "0123"},
		{"", "registry.example.com:5000/team/shop:1.4@sha256:00", "shop:1.4"},
		{"", "shop:latest", "shop:latest"},
		{"", "", ""},
	} {
		if got := VersionName(c.commit, c.image); got != c.want {
			t.Errorf("VersionName(%q, %q) = %q, want %q", c.commit, c.image, got, c.want)
		}
	}
}
