package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	sopsage "github.com/getsops/sops/v3/age"

	"norn/internal/atomicfile"
)

// Setup is what encrypting needs: a key of one's own, and rules that say for whom.
type Setup struct {
	Recipient string // the public key, where the rules were made for it
	Key       string // where the private key was found, or was put
	NewKey    bool
	Rules     string // the .sops.yaml that goes for the file
	NewRules  bool
}

// Init makes what is missing for encrypting the file at path: an age key where SOPS looks for one, and a .sops.yaml beside the file.
// What is there is used, and never changed.
func Init(path string) (*Setup, error) {
	if rule, from, err := creationRule(path); err != nil || rule != nil {
		return &Setup{Rules: from}, err
	}
	s := &Setup{Rules: filepath.Join(filepath.Dir(path), RulesName), NewRules: true}
	var err error
	if s.Recipient, s.Key, err = ownKey(); err != nil {
		return nil, err
	}
	if s.Recipient == "" {
		if s.Recipient, s.Key, err = generateKey(); err != nil {
			return nil, err
		}
		s.NewKey = true
	}
	text := fmt.Sprintf("# For whom secrets are encrypted. Add the public keys of those who are to read them, then run norn secrets rotate.\n"+
		"creation_rules:\n  - path_regex: (^|/)%s$\n    age:\n      - %s\n", strings.ReplaceAll(FileName, ".", `\.`), s.Recipient)
	return s, create(s.Rules, 0o644, text)
}

// ownKey is the public key of the first age key that SOPS would find, or "".
func ownKey() (recipient, place string, err error) {
	if text := os.Getenv(sopsage.SopsAgeKeyEnv); text != "" {
		recipient, err = firstRecipient(strings.NewReader(strings.Join(strings.Fields(text), "\n")), sopsage.SopsAgeKeyEnv)
		return recipient, sopsage.SopsAgeKeyEnv, err
	}
	path, named := os.Getenv(sopsage.SopsAgeKeyFileEnv), true
	if path == "" {
		named = false
		if path, err = ageKeyPath(); err != nil {
			return "", "", err
		}
	}
	f, err := os.Open(path) //nolint:gosec // the user names it
	switch {
	case errors.Is(err, fs.ErrNotExist) && named:
		return "", "", &FileError{Path: path, Problem: sopsage.SopsAgeKeyFileEnv + " names it, and it does not exist", Advice: "correct the variable, or unset it to have a key made"}
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case err != nil:
		return "", "", fmt.Errorf("read the age key: %w", err)
	}
	defer func() { _ = f.Close() }()
	recipient, err = firstRecipient(f, path)
	return recipient, path, err
}

// firstRecipient is the public key of the first of the private keys in r.
func firstRecipient(r io.Reader, place string) (string, error) {
	identities, err := age.ParseIdentities(r)
	if err == nil {
		switch id := identities[0].(type) {
		case *age.X25519Identity:
			return id.Recipient().String(), nil
		case *age.HybridIdentity:
			return id.Recipient().String(), nil
		}
	}
	// The library's text could quote a key.
	return "", &FileError{Path: place, Problem: "its first key is no age key that norn can make rules for", Advice: "write " + RulesName + " by hand, with the public key under age:"}
}

// generateKey makes an age key in the file where SOPS looks for one, which only its owner can read.
func generateKey() (recipient, path string, err error) {
	if path, err = ageKeyPath(); err != nil {
		return "", "", err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("make an age key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", "", fmt.Errorf("make the folder for age keys: %w", err)
	}
	text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", time.Now().Format(time.RFC3339), id.Recipient(), id) // as age-keygen writes it
	return id.Recipient().String(), path, create(path, 0o600, text)
}

func create(path string, mode fs.FileMode, text string) error {
	if err := atomicfile.Create(path, mode, []byte(text)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
