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

// The sample app's file, whose key is published, and the value in it.
const (
	sample = "../../testdata/apps/hello"
	canary = "norn-sample-token-9d1c5f"
)

func sampleFile(t *testing.T) (path, text string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sample, FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOPS_AGE_KEY_FILE", filepath.Join(sample, "test-key.txt"))
	return filepath.Join(t.TempDir(), FileName), string(data)
}

func TestDecrypt(t *testing.T) {
	path, text := sampleFile(t)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	values, err := Decrypt(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != 1 || values["HELLO_TOKEN"].Reveal() != canary {
		t.Errorf("%d values, and not the one expected", len(values))
	}
}

// Each kind of damage is refused in its own words, which hold no value.
func TestDecryptRefuses(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(string) string
	}{
		{"plaintext", "not a SOPS file", func(string) string { return "HELLO_TOKEN: " + canary + "\n" }},
		{"not YAML", "not a SOPS file in YAML", func(s string) string { return "<<<<<<< HEAD\n" + s }},
		{"truncated", "", func(s string) string { return s[:len(s)/2] }},
		{"value bit-flipped", "does not match", func(s string) string { return strings.Replace(s, "data:sTZ", "data:tTZ", 1) }},
		{"value removed", "does not match", func(s string) string { return "sops:" + strings.SplitN(s, "sops:", 2)[1] }},
		{"plain value added", "does not match", func(s string) string { return "OTHER: " + canary + "\n" + s }},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, text := sampleFile(t)
			if err := os.WriteFile(path, []byte(c.change(text)), 0o600); err != nil {
				t.Fatal(err)
			}
			values, err := Decrypt(path)
			var fileError *FileError
			if !errors.As(err, &fileError) || values != nil {
				t.Fatalf("%d values, error %v", len(values), err)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error()+fileError.Hint(), canary) {
				t.Errorf("error %q, want %q in it and no value", err, c.want)
			}
		})
	}
}

func TestDecryptWithoutKey(t *testing.T) {
	path, text := sampleFile(t)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, name := range []string{"SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY", "SOPS_AGE_SSH_PRIVATE_KEY_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	_, err := Decrypt(path)
	if err == nil || !strings.Contains(err.Error(), "encrypted for age age1q0x6qp") {
		t.Errorf("error %v does not name the recipient", err)
	}
}

// No way of printing a value prints it.
func TestValueShowsNothing(t *testing.T) {
	v := newValue(canary)
	hidden := struct{ v Value }{v}
	data, err := json.Marshal(map[string]any{"v": v, "p": &v})
	if err != nil {
		t.Fatal(err)
	}
	shown := string(data) + v.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb+verb+verb+verb, v, &v, map[string]Value{"k": v}, hidden)
	}
	if strings.Contains(shown, canary) || strings.Contains(shown, fmt.Sprintf("%x", canary)) {
		t.Errorf("a value is shown: %s", strings.ReplaceAll(shown, canary, "<VALUE>"))
	}
}

func TestPick(t *testing.T) {
	values := map[string]Value{"A": newValue("1"), "B": newValue("2")}
	picked, err := Pick("f", values, []string{"B"})
	if err != nil || len(picked) != 1 || picked["B"].Reveal() != "2" {
		t.Errorf("%d picked, error %v", len(picked), err)
	}
	if _, err := Pick("f", values, []string{"Z", "A", "Y"}); err == nil || !strings.Contains(err.Error(), "[Y Z]") {
		t.Errorf("error %v does not list all that is missing", err)
	}
}
