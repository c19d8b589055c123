package source

import "testing"

func TestWithoutCredentials(t *testing.T) {
	for address, want := range map[string]string{
		"https://u:hunter2@example.com/x.git":   "https://example.com/x.git",
		"https://hunter2@example.com/x.git":     "https://example.com/x.git",
		"https://u:pa%ss-hunter2@example.com/x": "",
		"ssh://git:hunter2@example.com/x.git":   "ssh://git@example.com/x.git",
		"git@example.com:team/x.git":            "git@example.com:team/x.git",
		"/srv/git/x.git":                        "/srv/git/x.git",
		"https://example.com/x.git":             "https://example.com/x.git",
	} {
		if got := WithoutCredentials(address); got != want {
			t.Errorf("WithoutCredentials(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestRedactURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://user:canary@git.example.com/x.git": "https://git.example.com/x.git",
		"https://user:can%zzary@git.example.com/x":  "the repository",
	} {
		if got := RedactURL(address); got != want {
			t.Errorf("RedactURL(%q) = %q, want %q", address, got, want)
		}
	}
}
