package infraspec

import (
	"errors"
	"strings"
	"testing"
)

// A value that no container can get is an error, which names the variable and not the value.
func TestVariableSizes(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{strings.Repeat("x", 128<<10-len("TEXT=")-1), ""},
		{strings.Repeat("x", 128<<10-len("TEXT=")), "TEXT has 131067 bytes, more than the limit of 131066"},
		{`a\0b`, "TEXT contains a NUL byte"},
	} {
		_, found, err := Parse("f", []byte("app: shop\nrole: worker\nenv: {TEXT: \""+c.value+"\"}\n"))
		if errs, ok := errors.AsType[Errors](err); ok {
			found = errs
		}
		var text []string
		for _, f := range found {
			text = append(text, f.Message)
		}
		if c.want == "" && len(found) > 0 || c.want != "" && (len(found) != 1 || !strings.HasPrefix(text[0], c.want)) {
			t.Errorf("%.20q: found %.200q, want %q", c.value, text, c.want)
		}
	}
}
