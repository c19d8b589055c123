package secrets

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// secrets supports every kind of key that can be created offline: age, SSH keys in age, PGP.
func TestKeyTypes(t *testing.T) {
	sops := realSops(t)
	for name, make := range map[string]func(t *testing.T, home string) (rule string){
		"ssh ed25519": func(t *testing.T, home string) string {
			return "age: " + sshKey(t, filepath.Join(home, ".ssh/id_ed25519"), "ed25519")
		},
		"ssh rsa": func(t *testing.T, home string) string {
			key := sshKey(t, filepath.Join(home, "elsewhere"), "rsa")
			t.Setenv("SOPS_AGE_SSH_PRIVATE_KEY_FILE", filepath.Join(home, "elsewhere"))
			return "age: " + key
		},
		"age from a command": func(t *testing.T, _ string) string {
			t.Setenv("SOPS_AGE_KEY_CMD", "cat "+absolute(t, filepath.Join(sample, "test-key.txt")))
			return "age: " + theirKey
		},
		"pgp": pgpKey,
	} {
		t.Run(name, func(t *testing.T) {
			home := noKeys(t)
			path := filepath.Join(t.TempDir(), FileName)
			put(t, filepath.Join(filepath.Dir(path), RulesName), "creation_rules: [{"+make(t, home)+"}]\n")
			put(t, path, "TOKEN: one\n")
			sopsCommand{t, sops.path}.run(path, "encrypt", "--in-place")
			if got := values(t, path); got["TOKEN"] != "one" {
				t.Error("norn reads a wrong value")
			}
			if err := set(t.Context(), path, "MORE", "two"); err != nil {
				t.Fatal(err)
			}
			if got := (sopsCommand{t, sops.path}).run(path, "decrypt"); got != "TOKEN: one\nMORE: two\n" {
				t.Errorf("sops reads %q", got)
			}
		})
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func sshKey(t *testing.T, path, kind string) (public string) {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("no ssh-keygen")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	keygen := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path)
	if out, err := keygen.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(get(t, path+".pub"))
}

func pgpKey(t *testing.T, home string) string {
	t.Helper()
	if _, err := exec.LookPath("gpg"); err != nil {
		t.Skip("no gpg")
	}
	gnupg := filepath.Join(home, "gnupg")
	if err := os.MkdirAll(gnupg, 0o700); err != nil {
		t.Fatal(err)
	}
	gpg := func(args ...string) string {
		args = append([]string{"--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback"}, args...)
		cmd := exec.Command("gpg", args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg %v: %v: %s", args, err, stderr.String())
		}
		return string(out)
	}
	gpg("--quick-generate-key", "test <test@localhost>", "default", "default", "never")
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", gnupg, "--kill", "all").Run() })
	for line := range strings.Lines(gpg("--with-colons", "--list-keys")) {
		if rest, ok := strings.CutPrefix(line, "fpr:"); ok {
			return "pgp: " + strings.Trim(rest, ":\n")
		}
	}
	t.Fatal("gpg created no key")
	return ""
}
