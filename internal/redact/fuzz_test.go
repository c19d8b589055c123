package redact

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzRedact checks that no form of a value is in the output, and that the output does not depend on how the text is
// split into writes.
func FuzzRedact(f *testing.F) {
	f.Add(special, "x", " y\n", byte(7), byte(64))
	f.Add(pem, "user:", "\n", byte(1), byte(76))
	f.Add("sk_live_4f9a8b7c6d5e4f3a2b1c", "\\n", "\\n", byte(3), byte(17))
	f.Add("aaaaaaaa", "aaaaaaa", "aaaaaaaaa", byte(2), byte(9))
	f.Fuzz(func(t *testing.T, value, before, after string, step, width byte) {
		core := strings.TrimSpace(value)
		if !utf8.ValidString(value) || utf8.RuneCountInString(core) < minSecret || len(value) > 300 {
			return
		}
		const mark = "[redacted:A]"
		r := New()
		r.Hide("A", value)
		var text strings.Builder
		for _, p := range forms("A", value) {
			form := string(p.text)
			if got := r.Text(form); strings.Contains(got, form) && !strings.Contains(mark, form) {
				t.Fatalf("%q is not redacted", form)
			}
			if p.kind != exact {
				form = broken(form, "\n", max(minPiece, int(width)))
			}
			text.WriteString(before + form + after)
		}
		in := text.String()
		if len(in) > 64<<10 {
			in = in[:64<<10]
		}
		whole := r.Text(in)
		var out bytes.Buffer
		w := r.Writer(&out)
		for rest := in; rest != ""; {
			n := min(1+int(step), len(rest))
			if _, err := fmt.Fprint(w, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		_ = w.Close()
		for _, p := range forms("A", value) {
			if form := string(p.text); strings.Contains(out.String(), form) && !strings.Contains(mark, form) {
				t.Fatalf("%q is in %q", form, out.String())
			}
		}
		// After a backslash, a digit may also be a part of an escape. Both ways, the value is replaced.
		if out.String() != whole && !strings.HasSuffix(before, `\`) {
			t.Fatalf("in steps of %d:\n%q\nat once:\n%q\nof\n%q", 1+int(step), out.String(), whole, in)
		}
	})
}
