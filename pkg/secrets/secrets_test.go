package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The sample app, whose key is public, and the value in its encrypted file.
const (
	sample = "../../testdata/apps/hello"
	canary = "norn-sample-token-9d1c5f"
)

// sampleFile copies the sample app's file. Its key is the only one available.
func sampleFile(t testing.TB) (path, text string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sample, FileName))
	if err != nil {
		t.Fatal(err)
	}
	noKeys(t)
	t.Setenv("SOPS_AGE_KEY_FILE", filepath.Join(sample, "test-key.txt"))
	path = filepath.Join(t.TempDir(), FileName)
	put(t, path, string(data))
	return path, string(data)
}

// noKeys sets up a home folder without keys.
func noKeys(t testing.TB) (home string) {
	t.Helper()
	home = t.TempDir()
	for _, name := range []string{
		"SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY", "SOPS_AGE_KEY_CMD",
		"SOPS_AGE_SSH_PRIVATE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_CMD", "SOPS_CONFIG",
	} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("GNUPGHOME", filepath.Join(home, "gnupg"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	return home
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// values returns the file's values as plain text.
func values(t testing.TB, path string) map[string]string {
	t.Helper()
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := map[string]string{}
	for name, v := range f.Values() {
		out[name] = v.Reveal()
	}
	return out
}

func TestOpen(t *testing.T) {
	path, _ := sampleFile(t)
	if got := values(t, path); len(got) != 1 || got["HELLO_TOKEN"] != canary {
		t.Errorf("%d values, want only HELLO_TOKEN", len(got))
	}
}

// Each kind of corruption has its own message, which contains no value.
func TestOpenRefuses(t *testing.T) {
	flip := func(at string) func(string) string {
		return func(s string) string {
			i := strings.Index(s, at) + len(at)
			return s[:i] + string(s[i]^1) + s[i+1:]
		}
	}
	cut := func(at string) func(string) string {
		return func(s string) string {
			before, _, found := strings.Cut(s, at)
			if !found {
				panic(at)
			}
			return before
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(string) string
	}{
		{"plaintext", "not a SOPS file: it has no sops metadata", func(string) string {
			return "HELLO_TOKEN: " + canary + "\n"
		}},
		{"empty", "the file is empty", func(string) string { return "\n" }},
		{"no YAML", "not a SOPS file in YAML", func(string) string { return "\x00\x01" + canary }},
		{"a list", "not a SOPS file in YAML", func(string) string { return "- " + canary + "\n" }},
		{"merge conflict", "line 1: unresolved merge conflict", func(s string) string {
			return "<<<<<<< HEAD\n" + s + "=======\n" + s + ">>>>>>> theirs\n"
		}},
		{"merge conflict in the metadata", "unresolved merge conflict", func(s string) string {
			return strings.Replace(s, "    mac:", "<<<<<<< HEAD\n    mac: x\n=======\n    mac:", 1) + ">>>>>>> theirs\n"
		}},
		{"cut in a value", "truncated", cut(",iv:vj5")},
		{"cut before the metadata", "truncated", cut("sops:\n")},
		{"cut in the key", "truncated", cut("OWlKS2lC")},
		{"cut after the key", "truncated", cut("    lastmodified")},
		{"cut before the checksum", "truncated", cut("    mac:")},
		{"cut in the checksum", "truncated", cut(",tag:QreW")},
		{"cut before the version", "truncated", cut("    version")},
		{"bit flipped in a value", "cannot decrypt HELLO_TOKEN: the value is corrupt", flip("data:s")},
		{"bit flipped in the checksum", "checksum (MAC) is corrupt", flip("data:K2s")},
		{"bit flipped in the time", "checksum (MAC) is corrupt", flip("2026-11-24T01:18:5")},
		{"bit flipped in the key", "no available key can decrypt it", flip("UmcKu")},
		{"value removed", "checksum (MAC) does not match", func(s string) string {
			return "sops:" + strings.SplitN(s, "sops:", 2)[1]
		}},
		{"plain value added", "OTHER is not encrypted", func(s string) string { return "OTHER: " + canary + "\n" + s }},
		{"value moved", "cannot decrypt OTHER: the value is corrupt or was moved", func(s string) string {
			return strings.Replace(s, "HELLO_TOKEN", "OTHER", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, text := sampleFile(t)
			put(t, path, c.change(text))
			f, err := Open(t.Context(), path)
			var fileError *FileError
			if !errors.As(err, &fileError) || f != nil {
				t.Fatalf("error %v", err)
			}
			shown := err.Error() + fileError.Hint() + fileError.Detail()
			if !strings.Contains(err.Error(), c.want) || strings.Contains(shown, canary) {
				t.Errorf("error %q, want %q in it and no value", err, c.want)
			}
			if fileError.Path != path || fileError.Hint() == "" {
				t.Errorf("path %q, hint %q", fileError.Path, fileError.Hint())
			}
		})
	}
}

// A truncated file, or a file with a flipped bit, causes an error or has the same values. Nothing panics.
func TestOpenAnyDamage(t *testing.T) {
	path, text := sampleFile(t)
	same := 0
	look := func(what, damaged string) {
		f, err := decrypt(t.Context(), path, []byte(damaged), false)
		var file *FileError
		switch {
		case errors.As(err, &file):
		case err != nil:
			t.Fatalf("%s: %v", what, err)
		case f.Values()["HELLO_TOKEN"].Reveal() == canary && len(f.Values()) == 1:
			same++ // the change is in unused metadata, blanks or the version
		default:
			t.Fatalf("%s: wrong values are accepted", what)
		}
	}
	for i := range text {
		look(fmt.Sprintf("cut at %d", i), text[:i])
		look(fmt.Sprintf("byte %d flipped", i), text[:i]+string([]byte{text[i] ^ 1<<(i%8)})+text[i+1:])
	}
	if same > len(text)/10 {
		t.Errorf("%d of %d corruptions go unnoticed", same, 2*len(text))
	}
}

// Without a key, the error names the recipients and the places where norn searched.
func TestOpenWithoutKey(t *testing.T) {
	path, _ := sampleFile(t)
	home := noKeys(t)
	t.Setenv("SOPS_AGE_KEY_FILE", filepath.Join(home, "nokey"))
	put(t, filepath.Join(home, "config/sops/age/keys.txt"),
		"AGE-SECRET-KEY-1QQPQYY3AFFDKZ3S8XXQXZ0M0E5NJZ9W0VXNRTHZ8YQ7TZJ3RYHVQK5M8YZ\n")
	_, err := Open(t.Context(), path)
	var file *FileError
	if !errors.As(err, &file) || !strings.Contains(err.Error(), "encrypted for age age1q0x6qp") {
		t.Fatalf("error %v does not name the recipient", err)
	}
	for _, want := range []string{
		"SOPS_AGE_KEY_FILE: " + home + "/nokey: does not exist", "SOPS_AGE_KEY: not set",
		home + "/config/sops/age/keys.txt: exists", home + "/.ssh/id_ed25519: does not exist",
	} {
		if !strings.Contains(file.Detail(), want) {
			t.Errorf("%q is missing from\n%s", want, file.Detail())
		}
	}
	if strings.Contains(file.Detail(), "SECRET-KEY") {
		t.Errorf("a key is shown: %s", file.Detail())
	}
}

// No format prints a Value's text.
func TestValueShowsNothing(t *testing.T) {
	v := NewValue(canary)
	hidden := struct{ v Value }{v}
	data, err := json.Marshal(map[string]any{"v": v, "p": &v})
	if err != nil {
		t.Fatal(err)
	}
	text, err := v.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	shown := string(data) + string(text) + v.String() + v.GoString()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb+verb+verb+verb, v, &v, map[string]Value{"k": v}, hidden)
	}
	if strings.Contains(shown, canary) || strings.Contains(shown, fmt.Sprintf("%x", canary)) {
		t.Errorf("a value is shown: %s", strings.ReplaceAll(shown, canary, "<VALUE>"))
	}
	if (Value{}).Reveal() != "" {
		t.Error("the empty value is not empty")
	}
}

func TestPick(t *testing.T) {
	path, _ := edited(t, "A: \"1\"\nB: two\nN: {a: b}\nBIN: !!binary /v8=\nZERO: \"a\\0b\"\n")
	f, err := OpenLayers(t.Context(), Place{Dir: filepath.Dir(path)})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picked, err := f.Pick([]string{"B"})
	if err != nil || len(picked) != 1 || picked["B"].Reveal() != "two" {
		t.Errorf("%d picked, error %v", len(picked), err)
	}
	for want, names := range map[string][]string{
		"no value for Y, Z": {"Z", "A", "Y"}, "N cannot be": {"N"}, "BIN, ZERO cannot be": {"ZERO", "BIN"},
	} {
		if _, err := f.Pick(names); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// AgeKeys returns the places that have a key, but no key.
func TestAgeKeys(t *testing.T) {
	home := noKeys(t)
	found, usual := AgeKeys()
	if len(found) != 0 || usual != filepath.Join(home, "config", "sops", "age", "keys.txt") {
		t.Errorf("found %q, usual %q", found, usual)
	}
	put(t, usual, canary)
	t.Setenv("SOPS_AGE_KEY", canary)
	t.Setenv("SOPS_AGE_KEY_FILE", filepath.Join(home, "nosuch"))
	if found, _ = AgeKeys(); strings.Join(found, " ") != "SOPS_AGE_KEY "+usual {
		t.Errorf("found %q", found)
	}
}
