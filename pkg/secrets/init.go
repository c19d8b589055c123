package secrets

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	sopsage "github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/config"

	"norn/internal/atomicfile"
)

// Setup describes the requirements for encryption: an age key, and the rules that name the recipients.
type Setup struct {
	Recipient string // the user's public key; "" if the rules existed before and Named is true
	Key       string // where the private key was found or written
	NewKey    bool
	Rules     string // the .sops.yaml that applies to the file
	NewRules  bool
	Named     bool // the rules name the user's key, or no age keys
}

// pathRegex matches the common file and those of all environments.
const pathRegex = `(^|/)secrets(\.[a-z0-9-]+)?\.enc\.yaml$`

// Init creates what is missing to encrypt the file at path: an age key where SOPS looks for one, and a .sops.yaml next
// to the file. It never changes an existing key or .sops.yaml.
func Init(path string) (*Setup, error) {
	rule, from, err := ruleFor(path)
	if err != nil {
		return nil, err
	}
	if rule != nil {
		return join(rule, from)
	}
	s := &Setup{Rules: filepath.Join(filepath.Dir(path), RulesName), NewRules: true, Named: true}
	if s.Recipient, s.Key, err = ownKey(); err != nil {
		return nil, err
	}
	if s.Recipient == "" {
		if s.Recipient, s.Key, err = generateKey(); err != nil {
			return nil, err
		}
		s.NewKey = true
	}
	text := fmt.Sprintf("# Who can decrypt the secrets. To add someone, add a public key and run norn secrets rotate.\n"+
		"creation_rules:\n  - path_regex: %s\n    age:\n      - %s\n", pathRegex, s.Recipient)
	return s, create(s.Rules, 0o644, text)
}

// join returns the setup for existing rules. If they name age keys and the user has none, it creates one.
func join(rule *config.Config, from string) (*Setup, error) {
	var recipients []string
	for _, group := range rule.KeyGroups {
		for _, key := range group {
			if k, ok := key.(*sopsage.MasterKey); ok {
				recipients = append(recipients, k.Recipient)
			}
		}
	}
	s := &Setup{Rules: from, Named: true}
	found, _ := AgeKeys()
	switch {
	case len(recipients) == 0:
		return s, nil
	case len(found) == 0:
		if _, _, err := ownKey(); err != nil { // a variable names a file that does not exist
			return nil, err
		}
		var err error
		s.Recipient, s.Key, err = generateKey()
		s.NewKey, s.Named = true, false
		return s, err
	}
	own, place := ownRecipients()
	if len(own) > 0 && !slices.ContainsFunc(own, func(r string) bool { return slices.Contains(recipients, r) }) {
		s.Recipient, s.Key, s.Named = own[0], place, false
	}
	return s, nil
}

// ownRecipients returns the public keys of the age keys that SOPS finds in a variable or a file, and where they are. It
// returns none for keys that it cannot read.
func ownRecipients() (recipients []string, place string) {
	text := os.Getenv(sopsage.SopsAgeKeyEnv)
	if place = sopsage.SopsAgeKeyEnv; text == "" {
		if place = os.Getenv(sopsage.SopsAgeKeyFileEnv); place == "" {
			place, _ = ageKeyPath()
		}
		data, err := os.ReadFile(place) //nolint:gosec // the user names it
		if err != nil {
			return nil, place
		}
		text = string(data)
	} else {
		text = strings.Join(strings.Fields(text), "\n")
	}
	identities, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, place
	}
	for _, id := range identities {
		switch id := id.(type) {
		case *age.X25519Identity:
			recipients = append(recipients, id.Recipient().String())
		case *age.HybridIdentity:
			recipients = append(recipients, id.Recipient().String())
		}
	}
	return recipients, place
}

// ownKey returns the public key of the first age key that SOPS finds, or "", and where it is.
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
		return "", "", &FileError{
			Path:    path,
			Problem: "the file in " + sopsage.SopsAgeKeyFileEnv + " does not exist",
			Advice:  "fix the variable, or unset it to create a key",
		}
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case err != nil:
		return "", "", fmt.Errorf("read the age key: %w", err)
	}
	defer func() { _ = f.Close() }()
	recipient, err = firstRecipient(f, path)
	return recipient, path, err
}

// firstRecipient returns the public key of the first private key in r.
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
	return "", &FileError{ // without err, which may quote a key
		Path:    place,
		Problem: "norn cannot create rules for the first key in it",
		Advice:  "write " + RulesName + " by hand, with the public key under age:",
	}
}

// generateKey writes a new age key, readable only by its owner, to the file where SOPS looks for one.
func generateKey() (recipient, path string, err error) {
	if path, err = ageKeyPath(); err != nil {
		return "", "", err
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", "", fmt.Errorf("create an age key: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", "", fmt.Errorf("create the folder for age keys: %w", err)
	}
	// The format of age-keygen.
	text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", time.Now().Format(time.RFC3339), id.Recipient(), id)
	return id.Recipient().String(), path, create(path, 0o600, text)
}

func create(path string, mode fs.FileMode, text string) error {
	if err := atomicfile.Create(path, mode, []byte(text)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
