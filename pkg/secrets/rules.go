package secrets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/config"
)

// RulesName is the file that says for whom new files are encrypted.
const RulesName = ".sops.yaml"

// sopsVersion is the library's, which new files bear. The library's own constant would bring a command line's packages along.
const sopsVersion = "3.13.3"

// configFile is the .sops.yaml that goes for the file at path: SOPS_CONFIG, or the one beside it or in the nearest folder above; or "".
func configFile(path string) string {
	if named := os.Getenv("SOPS_CONFIG"); named != "" {
		return named
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	found, err := config.LookupConfigFile(abs)
	if err != nil {
		return ""
	}
	return found.Path
}

// creationRule is what .sops.yaml says about the file at path. It is a *FileError where it says nothing of it; without a .sops.yaml the
// rule is nil.
func creationRule(path string) (rule *config.Config, from string, err error) {
	from = configFile(path)
	if from == "" {
		return nil, "", nil
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
		return nil, from, &FileError{Path: from, Problem: "none of its creation_rules is for " + path, Advice: "add one whose path_regex matches the file", Err: err}
	case err != nil:
		return nil, from, &FileError{Path: from, Problem: "it cannot be used: " + reason(err), Advice: "mend it (github.com/getsops/sops: Using .sops.yaml conf)", Err: err}
	case rule == nil || len(rule.KeyGroups) == 0 || len(rule.KeyGroups[0]) == 0:
		return nil, from, &FileError{Path: from, Problem: "it names no keys for " + path, Advice: "add a rule with keys under creation_rules, such as age: age1…"}
	}
	return rule, from, nil
}

// newFile is an empty file for those whom .sops.yaml names.
func newFile(path string) (*File, error) {
	rule, _, err := creationRule(path)
	if err != nil {
		return nil, err
	}
	if rule == nil {
		return nil, &FileError{Path: path, Problem: "the file does not exist, and there is no " + RulesName + " that says for whom to encrypt it", Advice: "make both with norn secrets init"}
	}
	f := &File{Path: path, hidden: map[string]bool{}, tree: sops.Tree{Metadata: sops.Metadata{
		KeyGroups: rule.KeyGroups, ShamirThreshold: rule.ShamirThreshold,
		UnencryptedSuffix: rule.UnencryptedSuffix, EncryptedSuffix: rule.EncryptedSuffix,
		UnencryptedRegex: rule.UnencryptedRegex, EncryptedRegex: rule.EncryptedRegex,
		UnencryptedCommentRegex: rule.UnencryptedCommentRegex, EncryptedCommentRegex: rule.EncryptedCommentRegex,
		MACOnlyEncrypted: rule.MACOnlyEncrypted, Version: sopsVersion,
	}}}
	if m := &f.tree.Metadata; !partial(*m) {
		m.UnencryptedSuffix = sops.DefaultUnencryptedSuffix
	}
	return f, nil
}

// partial reports whether a file has rules of its own for what is encrypted in it.
func partial(m sops.Metadata) bool {
	return m.UnencryptedSuffix != "" || m.EncryptedSuffix != "" || m.UnencryptedRegex != "" || m.EncryptedRegex != "" ||
		m.UnencryptedCommentRegex != "" || m.EncryptedCommentRegex != ""
}
