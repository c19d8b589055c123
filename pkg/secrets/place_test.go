package secrets

import "testing"

// All previews of an environment have its file.
func TestNameFor(t *testing.T) {
	for environment, want := range map[string]string{
		"": "secrets.enc.yaml", "staging": "secrets.staging.enc.yaml", "preview/pr-12": "secrets.preview.enc.yaml",
	} {
		if got := NameFor(environment); got != want {
			t.Errorf("%q: %s, want %s", environment, got, want)
		}
	}
}
