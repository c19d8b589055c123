package deploy

import (
	"strings"
	"testing"

	"norn/pkg/secrets"
)

// A value that no container can get, or that the Secret cannot hold, stops a deploy with its name and size.
func TestCheckSizes(t *testing.T) {
	const canary = "norn-canary"
	value := func(n int) secrets.Value { return secrets.NewValue(canary + strings.Repeat("x", n-len(canary))) }
	many := map[string]secrets.Value{}
	for _, name := range strings.Split("ABCDEFGHI", "") {
		many[name] = value(120 << 10)
	}
	for _, c := range []struct {
		values map[string]secrets.Value
		want   string // "" if they fit
	}{
		{map[string]secrets.Value{"A": secrets.NewValue(""), "KEY": value(128<<10 - 5), "FILE": value(200 << 10)}, ""},
		{
			map[string]secrets.Value{"A": value(100), "KEY": value(128<<10 - 4)},
			"secrets.enc.yaml: KEY has 131068 bytes, more than the limit of 131067 for an environment variable",
		},
		{map[string]secrets.Value{"A": secrets.NewValue(canary + "\x00")}, "secrets.enc.yaml: A contains a NUL byte"},
		{many, "secrets.enc.yaml: the declared values total 1105920 bytes, more than the limit of 1048576 for a Secret"},
	} {
		err := checkSizes(&secrets.Layers{}, c.values, []string{"FILE"})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("the error contains the value: %.200s", err)
		}
	}
}
