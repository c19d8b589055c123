package infraspec

import (
	"strings"
	"testing"
)

// Declare adds names to the list that holds in the environment, and changes nothing else.
func TestDeclare(t *testing.T) {
	const head = "app: shop # the shop\nrole: worker\n"
	for _, c := range []struct{ name, before, environment, after string }{
		{"none", "", "", "secrets:\n  - B\n  - C\n"},
		{"no newline", "replicas: 2", "", "replicas: 2\nsecrets:\n  - B\n  - C\n"},
		{"a block", "secrets: # two\n- A # one\nreplicas: 2\n", "", "secrets: # two\n- A # one\n- B\n- C\nreplicas: 2\n"},
		{"indented", "secrets:\n  - A", "", "secrets:\n  - A\n  - B\n  - C"},
		{"brackets", "secrets: [A] # one\n", "", "secrets: [A, B, C] # one\n"},
		{"quoted", "secrets: [\"A\"]\n", "", "secrets: [\"A\", B, C]\n"},
		{"several lines", "secrets: [\n  A\n]\n", "", "secrets: [\n  A, B, C\n]\n"},
		{"empty", "secrets: []\n", "", "secrets: [B, C]\n"},
		{"Windows", "secrets:\r\n  - A\r\n", "", "secrets:\r\n  - A\r\n  - B\r\n  - C\r\n"},
		{"a shared list", "secrets: [A]\nenvironments: {e: {}, f: {}}\n", "e",
			"secrets: [A, B, C]\nenvironments: {e: {}, f: {}}\n"},
		{"an own list", "secrets: [A]\nenvironments:\n  e:\n    secrets: [X]\n  f: {}\n", "e",
			"secrets: [A]\nenvironments:\n  e:\n    secrets: [X, B, C]\n  f: {}\n"},
		{"an alias", "secrets: &s [A]\nenvironments: {e: {secrets: *s}}\n", "e",
			"secrets: &s [A, B, C]\nenvironments: {e: {secrets: *s}}\n"},
		{"an alias elsewhere", "env: {X: &s [A]}\nsecrets: *s\n", "", ""},
		{"a mapping", "secrets: # two\n  A:\n  D: {from: db/url} # one\nreplicas: 2\n", "",
			"secrets: # two\n  B:\n  C:\n  A:\n  D: {from: db/url} # one\nreplicas: 2\n"},
		{"braces", "secrets: {D: {from: db/url}}\n", "", "secrets: {B: {}, C: {}, D: {from: db/url}}\n"},
		{"no braces", "secrets: {}\n", "", "secrets: {B: {}, C: {}}\n"},
		{"an own mapping", "secrets: {A: }\nenvironments:\n  e:\n    secrets:\n      A: {from: db/url}\n  f: {}\n", "e",
			"secrets: {A: }\nenvironments:\n  e:\n    secrets:\n      B:\n      C:\n      A: {from: db/url}\n  f: {}\n"},
		{"a mapping on Windows", "secrets:\r\n  D: {from: db/url}\r\n", "",
			"secrets:\r\n  B:\r\n  C:\r\n  D: {from: db/url}\r\n"},
		{"no value", "secrets:\n", "", ""},
		{"invalid", "rolle: x\n", "", ""},
		{"a flow mapping", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := head + c.before
			if strings.HasSuffix(c.name, "Windows") {
				before = "app: shop\r\nrole: worker\r\n" + c.before
			}
			if c.name == "a flow mapping" {
				before = "{app: shop, role: worker}\n"
			}
			got, err := Declare("f", []byte(before), c.environment, []string{"B", "C"})
			if c.after == "" {
				if err == nil {
					t.Errorf("declared:\n%s", got)
				}
				return
			}
			if want := before[:len(before)-len(c.before)] + c.after; err != nil || string(got) != want {
				t.Errorf("error %v, got:\n%s\nwant:\n%s", err, got, want)
			}
		})
	}
}
