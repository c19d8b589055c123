package secrets

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// own creates a key and rules as norn secrets init does, and returns the path for a file next to the rules.
func own(t testing.TB) (path string, s *Setup) {
	t.Helper()
	noKeys(t)
	path = filepath.Join(t.TempDir(), FileName)
	s, err := Init(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, s
}

// edited creates a file that contains text, encrypted.
func edited(t testing.TB, text string) (path string, s *Setup) {
	t.Helper()
	path, s = own(t)
	err := Update(t.Context(), path, func(f *File) error { _, err := f.Replace([]byte(text)); return err })
	if err != nil {
		t.Fatal(err)
	}
	return path, s
}

func set(ctx context.Context, path, name, value string) error {
	return Update(ctx, path, func(f *File) error { return f.Set(name, value) })
}

// Update preserves the order, the comments, the other values' ciphertext and the mode.
func TestUpdateKeepsTheRest(t *testing.T) {
	path, _ := edited(t, "# the first\nA: one\n# the second\nB: two # beside it\nC: three\n")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	before := strings.Split(get(t, path), "\n")
	if err := set(t.Context(), path, "B", canary); err != nil {
		t.Fatal(err)
	}
	if err := set(t.Context(), path, "D", ""); err != nil {
		t.Fatal(err)
	}
	after := strings.Split(get(t, path), "\n")
	for i := range 5 {
		if changed := before[i] != after[i]; changed != (i == 3) {
			t.Errorf("line %d: %q became %q", i+1, before[i], after[i])
		}
	}
	if !strings.HasPrefix(after[5], "D: ") || strings.Contains(get(t, path), canary) {
		t.Errorf("line 6 is %q", after[5])
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if got := values(t, path); got["B"] != canary || got["A"] != "one" || got["D"] != "" || len(got) != 4 {
		t.Errorf("%d values, not the ones set", len(got))
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("folder contains %v, error %v", entries, err)
	}
}

// Concurrent writers lose no change, neither in one process nor with a program that does not lock.
func TestUpdateTogether(t *testing.T) {
	path, _ := own(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := set(t.Context(), path, fmt.Sprintf("NAME_%d", i), canary); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := values(t, path); len(got) != 20 {
		t.Errorf("%d values, want 20", len(got))
	}

	// Another program, which does not lock, writes at the same time.
	other, _ := edited(t, "A: one\n")
	text := get(t, other)
	if err := set(t.Context(), other, "THEIRS", canary); err != nil {
		t.Fatal(err)
	}
	theirs := get(t, other)
	put(t, other, text)
	tries := 0
	err := Update(t.Context(), other, func(f *File) error {
		if tries++; tries == 1 {
			put(t, other, theirs)
		}
		return f.Set("OURS", canary)
	})
	if got := values(t, other); err != nil || tries != 2 || got["THEIRS"] != canary || got["OURS"] != canary {
		t.Errorf("%d tries, %d values, error %v", tries, len(got), err)
	}
}

// Update stops waiting for the lock when ctx is cancelled.
func TestUpdateHeld(t *testing.T) {
	path, _ := edited(t, "A: one\n")
	unlock, err := lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if err := set(ctx, path, "B", "x"); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("error %v", err)
	}
}

// Update writes nothing if the change fails or would leave a value unencrypted.
func TestUpdateRefuses(t *testing.T) {
	path, _ := edited(t, "A: one\n")
	before := get(t, path)
	big := func(f *File) error {
		_, err := f.Replace([]byte("A: 123456789012345678901234567890\n"))
		return err
	}
	for name, change := range map[string]func(*File) error{
		"is reserved for SOPS":   func(f *File) error { return f.Set("sops", canary) },
		"would not be encrypted": func(f *File) error { return f.Set("TOKEN_unencrypted", canary) },
		"its own":                func(*File) error { return errors.New("its own") },
		"duplicate name":         func(f *File) error { _, err := f.Replace([]byte("A: 1\nA: 2\n")); return err },
		"(line 2)": func(f *File) error {
			_, err := f.Replace([]byte("A: 1\n" + canary + ": : x\n"))
			return err
		},
		"the file is empty":    func(f *File) error { _, err := f.Replace([]byte("# nothing\n")); return err },
		"\"sops\" is reserved": func(f *File) error { _, err := f.Replace([]byte("sops: {}\n")); return err },
		"with a name and a v":  func(f *File) error { _, err := f.Replace([]byte(canary + "\n")); return err },
	} {
		err := Update(t.Context(), path, change)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), canary) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
	if err := Update(t.Context(), path, func(*File) error { return ErrUnchanged }); err != nil {
		t.Error(err)
	}
	if get(t, path) != before {
		t.Error("the file has changed")
	}
	if err := Update(t.Context(), path, big); err != nil { // YAML reads it as a float, as in sops
		t.Error(err)
	}
}

// Replace returns the names of values that YAML does not read as written.
func TestReplaceGuesses(t *testing.T) {
	path, _ := own(t)
	err := Update(t.Context(), path, func(f *File) error {
		guessed, err := f.Replace([]byte("PIN: 0123\nPORT: 5432\nVERSION: 1.10\nDATE: 2024-01-01\n" +
			"ON: True\nOFF: false\nTEXT: \"0123\"\nNONE:\n"))
		if strings.Join(guessed, " ") != "PIN VERSION DATE ON" {
			t.Errorf("guessed %v", guessed)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"PIN": "83", "PORT": "5432", "VERSION": "1.1", "DATE": "2024-01-01T00:00:00Z", "ON": "true", "OFF": "false",
		"TEXT": "0123", "NONE": "",
	}
	for name, value := range values(t, path) {
		if value != want[name] {
			t.Errorf("%s is %q, want %q", name, value, want[name])
		}
	}
}

func TestInit(t *testing.T) {
	home := noKeys(t)
	path := filepath.Join(t.TempDir(), FileName)
	s, err := Init(path)
	if err != nil || !s.NewKey || !s.NewRules || s.Key != filepath.Join(home, "config/sops/age/keys.txt") {
		t.Fatalf("%+v, error %v", s, err)
	}
	info, err := os.Stat(s.Key)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	key, rules := get(t, s.Key), get(t, s.Rules)
	if !strings.Contains(rules, s.Recipient) || !strings.Contains(key, "# public key: "+s.Recipient) {
		t.Errorf("rules %q do not name %q", rules, s.Recipient)
	}

	// The second call creates nothing. In another folder, Init uses the same key.
	again, err := Init(path)
	if err != nil || again.NewKey || again.NewRules || get(t, s.Key) != key || get(t, s.Rules) != rules {
		t.Errorf("%+v, error %v", again, err)
	}
	other, err := Init(filepath.Join(t.TempDir(), FileName))
	if err != nil || other.NewKey || !other.NewRules || other.Recipient != s.Recipient {
		t.Errorf("%+v, error %v", other, err)
	}

	// Rules that do not match, and a missing key file, cause errors.
	put(t, s.Rules, "creation_rules:\n  - path_regex: other\n    age: "+s.Recipient+"\n")
	if _, err := Init(path); err == nil || !strings.Contains(err.Error(), "no rule in creation_rules matches") {
		t.Errorf("error %v", err)
	}
	put(t, s.Rules, "creation_rules: [{age: nobody}]\n")
	if _, err := Init(path); err == nil || !strings.Contains(err.Error(), "invalid rules") {
		t.Errorf("error %v", err)
	}
	t.Setenv("SOPS_AGE_KEY_FILE", filepath.Join(home, "nokey"))
	_, err = Init(filepath.Join(t.TempDir(), FileName))
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("error %v", err)
	}
}

// A rotation creates a new key for the recipients in the rules, and never locks out its caller.
func TestRotate(t *testing.T) {
	path, mine := edited(t, "# kept\nA: one\n")
	before := get(t, path)
	const theirs = "age1q0x6qp276tmrk5mauy3lslgpp5e25whz0ts525yxjen5s3tm73psew428s"
	put(t, mine.Rules, fmt.Sprintf("creation_rules: [{age: [%s, %s]}]\n", mine.Recipient, theirs))
	done, err := Rotate(t.Context(), path)
	if err != nil || len(done.Added) != 1 || len(done.Removed) != 0 || len(done.Recipients) != 2 {
		t.Fatalf("%+v, error %v", done, err)
	}
	after := get(t, path)
	if strings.Split(before, "\n")[1] == strings.Split(after, "\n")[1] {
		t.Error("the value is encrypted as before")
	}
	key, err := os.ReadFile(filepath.Join(sample, "test-key.txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOPS_AGE_KEY", strings.Join(strings.Fields(string(key))[len(strings.Fields(string(key)))-1:], ""))
	if got := values(t, path); got["A"] != "one" {
		t.Error("the value is lost")
	}
	_ = os.Unsetenv("SOPS_AGE_KEY")
	put(t, mine.Rules, fmt.Sprintf("creation_rules: [{age: %s}]\n", theirs))
	_, err = Rotate(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "you could no longer decrypt it") {
		t.Errorf("error %v", err)
	}
	if get(t, path) != after {
		t.Error("the file has changed")
	}
	_, err = Rotate(t.Context(), filepath.Join(t.TempDir(), FileName))
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("error %v", err)
	}
}

// sopsVersion is the version in go.mod.
func TestVersion(t *testing.T) {
	if !strings.Contains(get(t, "../../go.mod"), "github.com/getsops/sops/v3 v"+sopsVersion) {
		t.Errorf("go.mod has another version than %s", sopsVersion)
	}
}
