package redact

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
)

const pem = "-----BEGIN PRIVATE KEY-----\n" +
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n" +
	"MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n" +
	"-----END PRIVATE KEY-----\n"

// broken returns text with a line break after every width characters.
func broken(text, lineBreak string, width int) string {
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + lineBreak)
		text = text[width:]
	}
	return b.String() + text
}

// An encoding that is broken into lines of any length is found, however its lines are separated, and whether it comes
// at once, byte by byte or line by line. Only a first piece of fewer than minPiece digits stays.
func TestRedactorBrokenEncodings(t *testing.T) {
	for name, value := range map[string]string{"PEM": pem, "TOKEN": "sk_live_4f9a8b7c6d5e4f3a2b1c", "SHORT": "ab-12~c?"} {
		r := New()
		r.Hide(name, value)
		r.Hide("OTHER", "another value")
		for lead := range 80 {
			front := strings.Repeat("?", lead)
			for encoding, text := range map[string]string{
				"base64":  base64.StdEncoding.EncodeToString([]byte(front + value + "?")),
				"for URL": base64.RawURLEncoding.EncodeToString([]byte(front + value)),
				"hex":     hexText(front + value),
			} {
				for _, width := range []int{17, 60, 64, 76, 100} {
					checkBroken(t, r, fmt.Sprint(name, " ", encoding, " ", lead, " ", width), text, width, len(value))
				}
			}
		}
	}
}

func checkBroken(t *testing.T, r *Redactor, name, text string, width, length int) {
	t.Helper()
	for _, lineBreak := range []string{"\n", "\r\n", `\n`, `\\r\\n`, "\n    "} {
		in := "x: " + broken(text, lineBreak, width) + "\nnext line\n"
		got := r.Text(in)
		left := strings.ReplaceAll(got, "[redacted:"+strings.Fields(name)[0]+"]", "")
		// What precedes and follows the value, a first piece, and the digits at the ends that have bits of other bytes.
		around := len(text) - length*4/3
		if strings.Contains(name, "hex") {
			around = len(text) - 2*length
		}
		breaks := strings.Count(in, lineBreak) * len(lineBreak)
		if most := len("x: \nnext line\n") + around + breaks + minPiece - 1 + 4; len(left) > most {
			t.Fatalf("%s %q: %d bytes are left of\n%s\nin\n%s", name, lineBreak, len(left), in, got)
		}
		var out bytes.Buffer
		w := r.Writer(&out)
		for i := range in {
			_, _ = io.WriteString(w, in[i:i+1])
		}
		_ = w.Close()
		if out.String() != got {
			t.Fatalf("%s %q: byte by byte:\n%s\nat once:\n%s", name, lineBreak, out.String(), got)
		}
		lines, byLine := r.Lines(), ""
		for line := range strings.Lines(in) {
			byLine += string(lines.Line([]byte(strings.TrimSuffix(line, "\n")))) + "\n"
		}
		if byLine != got {
			t.Fatalf("%s %q: line by line:\n%s\nat once:\n%s", name, lineBreak, byLine, got)
		}
	}
}

// A text that only begins like a value does not hide what follows it.
func TestRedactorBrokenStart(t *testing.T) {
	r := New()
	r.Hide("TOKEN", "sk_live_4f9a8b7c6d5e4f3a2b1c")
	digits := base64.StdEncoding.EncodeToString([]byte("sk_live_4f9a8b7c6d5e4f3a2b1c"))
	in := digits[:12] + "\nSomething else\n" + digits[:12] + " " + digits[12:] + "\n" + digits[:7] + "\n"
	want := "[redacted:TOKEN]\nSomething else\n" + digits[:12] + " " + digits[12:] + "\n" + digits[:7] + "\n"
	if got := r.Text(in); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
