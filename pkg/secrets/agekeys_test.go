package secrets

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// inUTF16 returns text in UTF-16, little-endian and without a byte order mark.
func inUTF16(text string) string {
	var out strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		out.WriteByte(byte(u))
		out.WriteByte(byte(u >> 8))
	}
	return out.String()
}

// A key file that PowerShell or an editor has saved in another encoding is not only a file without a matching key.
func TestKeyFileInAnotherEncoding(t *testing.T) {
	path, _ := edited(t, "A: \"1\"\n")
	home := noKeys(t)
	usual := filepath.Join(home, "config", "sops", "age", "keys.txt")
	const text = "# created: 2026-01-02\r\nAGE-SECRET-KEY-1QQPQYY3AFFDKZ3S8XXQXZ0M0E5NJZ9W0VXNRTHZ8YQ7TZJ3RYHVQK5M8YZ\r\n"
	for content, want := range map[string]string{
		"\xef\xbb\xbf" + text:       "is UTF-8 with a byte order mark, which SOPS cannot read; save it as UTF-8",
		"\xff\xfe" + inUTF16(text):  "is UTF-16, which SOPS cannot read; save it as UTF-8 without a byte order mark",
		inUTF16(text):               "is UTF-16, which SOPS cannot read",
		text:                        "exists, but has no matching key",
		"age-encryption.org/v1\x00": "exists, but has no matching key",
	} {
		put(t, usual, content)
		_, err := Open(t.Context(), path)
		file, ok := errors.AsType[*FileError](err)
		if !ok || !strings.Contains(file.Detail(), usual+": "+want) || strings.Contains(file.Detail(), "SECRET-KEY") {
			t.Errorf("%q: got %v, want %q", content[:4], err, want)
		}
		if found, _ := AgeKeys(); (len(found) == 0) == strings.HasPrefix(want, "exists") {
			t.Errorf("%q: found %q", content[:4], found)
		}
	}
}
