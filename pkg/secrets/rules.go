package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"

	"norn/internal/regularfile"
)

// RulesName is the name of the file that lists the recipients of new files.
const RulesName = ".sops.yaml"

// errNoRule means that no rule in .sops.yaml matches a file.
var errNoRule = errors.New("no rule matches the file")

// sopsVersion is the version of the library, written to new files. The library's own constant would pull in the
// packages of its command line.
const sopsVersion = "3.13.3"

// configFile returns the .sops.yaml that applies to the file at path: SOPS_CONFIG, or the nearest one in its folder or
// a parent; or "". The library reads the file without a limit, so a file that is not a regular one, or is too large, is
// a *FileError.
func configFile(path string) (string, error) {
	conf := os.Getenv("SOPS_CONFIG")
	if conf == "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return "", fmt.Errorf("find %s: %w", path, err)
		}
		found, _ := config.LookupConfigFile(abs) // its only error is that there is none
		if conf = found.Path; conf == "" {
			return "", nil
		}
	}
	_, err := regularfile.Read(conf, regularfile.MaxText)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", unreadable(conf, err)
	}
	return conf, nil
}

// creationRule returns the rule in .sops.yaml for the file at path, and the path of .sops.yaml. Without a .sops.yaml
// the rule is nil. If no rule matches, the error is a *FileError.
func creationRule(path string) (rule *config.Config, from string, err error) {
	from, err = configFile(path)
	if from == "" || err != nil {
		return nil, from, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, "", fmt.Errorf("find %s: %w", path, err)
	}
	err = safely(func() (err error) {
		rule, err = config.LoadCreationRuleForFile(from, abs, nil)
		return err
	})
	switch {
	case err != nil && strings.Contains(err.Error(), "no matching creation rules"):
		return nil, from, &FileError{
			Path:    from,
			Problem: "no rule in creation_rules matches " + path,
			Advice:  "add a rule whose path_regex matches the file",
			Err:     errNoRule,
		}
	case err != nil:
		return nil, from, &FileError{
			Path:    from,
			Problem: "invalid rules: " + reason(err),
			Advice:  "fix the file (github.com/getsops/sops: Using .sops.yaml conf)",
			Err:     err,
		}
	case rule == nil || len(rule.KeyGroups) == 0 || len(rule.KeyGroups[0]) == 0:
		return nil, from, &FileError{
			Path:    from,
			Problem: "no keys for " + path,
			Advice:  "add a rule with keys under creation_rules, such as age: age1…",
		}
	}
	return rule, from, nil
}

// inherits reports whether the file at path has the recipients of the common file: it is the file of an environment,
// and no rule matches it.
func inherits(path string) bool {
	if placeOf(path).Environment == "" {
		return false
	}
	rule, _, err := creationRule(path)
	return err == nil && rule == nil || errors.Is(err, errNoRule)
}

// Inherited reports whether Update would create the file at path for the recipients of the common file.
func Inherited(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist) && inherits(path)
}

// ruleFor returns the rule for the file at path. If no rule matches the file of an environment, that is the rule for
// the common file.
func ruleFor(path string) (rule *config.Config, from string, err error) {
	if inherits(path) {
		return creationRule(placeOf(path).Common())
	}
	return creationRule(path)
}

// newFile returns an empty file for the recipients in .sops.yaml. If no rule matches the file of an environment, they
// are those of the common file.
func newFile(path string) (*File, error) {
	if inherits(path) {
		if f, err := likeCommon(path); f != nil || err != nil {
			return f, err
		}
	}
	rule, _, err := ruleFor(path)
	if err != nil {
		return nil, err
	}
	if rule == nil {
		return nil, &FileError{
			Path:    path,
			Problem: "the file does not exist, and there is no " + RulesName + " with its recipients",
			Advice:  "create a key and the rules with norn secrets init",
		}
	}
	return emptyFile(path, sops.Metadata{
		KeyGroups: rule.KeyGroups, ShamirThreshold: rule.ShamirThreshold,
		UnencryptedSuffix: rule.UnencryptedSuffix, EncryptedSuffix: rule.EncryptedSuffix,
		UnencryptedRegex: rule.UnencryptedRegex, EncryptedRegex: rule.EncryptedRegex,
		UnencryptedCommentRegex: rule.UnencryptedCommentRegex, EncryptedCommentRegex: rule.EncryptedCommentRegex,
		MACOnlyEncrypted: rule.MACOnlyEncrypted,
	}), nil
}

// likeCommon returns an empty file for the recipients of the common file and with its rules, or nil if that does not
// exist.
func likeCommon(path string) (*File, error) {
	common := placeOf(path).Common()
	text, err := read(common)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // a missing file is a valid answer
	}
	if err != nil {
		return nil, err
	}
	tree, err := load(common, text)
	if err != nil {
		return nil, err
	}
	m := tree.Metadata
	return emptyFile(path, sops.Metadata{
		KeyGroups: m.KeyGroups, ShamirThreshold: m.ShamirThreshold,
		UnencryptedSuffix: m.UnencryptedSuffix, EncryptedSuffix: m.EncryptedSuffix,
		UnencryptedRegex: m.UnencryptedRegex, EncryptedRegex: m.EncryptedRegex,
		UnencryptedCommentRegex: m.UnencryptedCommentRegex, EncryptedCommentRegex: m.EncryptedCommentRegex,
		MACOnlyEncrypted: m.MACOnlyEncrypted,
	}), nil
}

// emptyFile returns an empty file with the recipients and the rules of m.
func emptyFile(path string, m sops.Metadata) *File {
	m.Version = sopsVersion
	if !partial(m) {
		m.UnencryptedSuffix = sops.DefaultUnencryptedSuffix
	}
	return &File{Path: path, hidden: map[string]bool{}, tree: sops.Tree{Metadata: m}}
}

// partial reports whether the file has its own rules for which values are encrypted.
func partial(m sops.Metadata) bool {
	return m.UnencryptedSuffix != "" || m.EncryptedSuffix != "" || m.UnencryptedRegex != "" || m.EncryptedRegex != "" ||
		m.UnencryptedCommentRegex != "" || m.EncryptedCommentRegex != ""
}
