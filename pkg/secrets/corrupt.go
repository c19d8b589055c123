package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
)

const restore = "restore it from the repository's history, then change values with norn secrets or sops only"

// conflictMark is a line that git leaves in a file that it cannot merge (git-merge: How conflicts are presented).
var conflictMark = regexp.MustCompile(`(?m)^(<{7}|\|{7}|={7}|>{7})( .*)?\r?$`)

// checkComplete says what is wrong with a file that could not be loaded, or that lacks what every SOPS file has; nil is a whole one.
func checkComplete(text []byte, tree sops.Tree, loadErr error) error {
	encrypted := bytes.Contains(text, []byte(cipherMark))
	incomplete := loadErr != nil || tree.Metadata.MessageAuthenticationCode == "" || tree.Metadata.Version == ""
	mark := conflictMark.FindIndex(text)
	switch {
	case !incomplete:
		return nil
	case len(bytes.TrimSpace(text)) == 0:
		return &FileError{Problem: "the file is empty", Advice: "restore it from the repository's history, or delete it and begin anew with norn secrets set"}
	case mark != nil:
		return &FileError{
			Problem: fmt.Sprintf("line %d: it holds the conflict marks of a merge", 1+bytes.Count(text[:mark[0]], []byte("\n"))),
			Advice:  "take one side whole (git checkout --ours or --theirs), then set the other side's values again with norn secrets set",
		}
	case encrypted && (!bytes.HasSuffix(text, []byte("\n")) || errors.Is(loadErr, sops.MetadataNotFound) || loadErr == nil || !hasVersion.Match(text)):
		return &FileError{Problem: "it is cut short: SOPS' own data at its end is not whole", Advice: restore}
	case errors.Is(loadErr, sops.MetadataNotFound):
		return &FileError{Problem: "it is not a SOPS file: it has no sops metadata", Advice: "encrypt it with sops encrypt --in-place, or set the values with norn secrets set; plaintext is never sent on"}
	case encrypted:
		return &FileError{Problem: "it is not a SOPS file in YAML as it should be" + lineOf(loadErr), Advice: restore}
	default:
		return &FileError{Problem: "it is not a SOPS file in YAML" + lineOf(loadErr), Advice: restore}
	}
}

// hasVersion finds the last line that SOPS writes.
var hasVersion = regexp.MustCompile(`(?m)^\s+version: \S+$`)

var lineNumber = regexp.MustCompile(`line (\d+)`)

// lineOf is the line that a YAML error speaks of. The rest of it may quote the file.
func lineOf(err error) string {
	if err == nil {
		return ""
	}
	if m := lineNumber.FindStringSubmatch(err.Error()); m != nil {
		return ", from line " + m[1] + " on"
	}
	return ""
}

// decryptTree decrypts in place and verifies the MAC, as sops' own decrypt does.
func (f *File) decryptTree() error {
	var beside []bool
	comments(f.tree.Branches, func(c *sops.Comment) { beside = append(beside, c.Inline) })
	mac, err := f.tree.Decrypt(f.key, f.cipher)
	if err != nil { // the library's text can quote what it found
		return f.corruptValues()
	}
	comments(f.tree.Branches, func(c *sops.Comment) { c.Inline, beside = beside[0], beside[1:] }) // which the library forgets
	m := f.tree.Metadata
	want, err := f.cipher.Decrypt(m.MessageAuthenticationCode, f.key, m.LastModified.Format(time.RFC3339))
	switch {
	case err != nil && !bytes.HasSuffix(f.text, []byte("\n")):
		return &FileError{Problem: "it is cut short: its checksum (MAC) is not whole", Advice: restore}
	case err != nil:
		return &FileError{Problem: "its checksum (MAC) is damaged, or not from the same version of the file as the time beside it", Advice: restore}
	case want != mac:
		return &FileError{Problem: "its checksum (MAC) does not match: the file was changed by hand or by a merge", Advice: restore}
	}
	return nil
}

// corruptValues says which values do not decrypt.
func (f *File) corruptValues() error {
	tree, err := load(f.Path, f.text)
	if err != nil {
		return err
	}
	var damaged, plain []string
	for name, item := range (&File{tree: tree}).top() {
		one := sops.Tree{Metadata: tree.Metadata, Branches: sops.TreeBranches{{item}}}
		seen := shape(item.Value)
		if _, err := one.Decrypt(f.key, aes.NewCipher()); err == nil {
			continue
		}
		if seen == Plain {
			plain = append(plain, name)
		} else {
			damaged = append(damaged, name)
		}
	}
	switch {
	case len(plain) > 0:
		return &FileError{
			Problem: fmt.Sprintf("%s stands in it unencrypted, put there by hand or by a merge: the checksum (MAC) does not match", strings.Join(plain, ", ")),
			Advice:  "take it out again (git checkout), set it with norn secrets set, and change it where it is used, since it was readable",
		}
	case len(damaged) > 0:
		return &FileError{
			Problem: fmt.Sprintf("the value of %s is damaged or was moved from elsewhere: it does not decrypt, and the checksum (MAC) does not match", strings.Join(damaged, ", ")),
			Advice:  restore,
		}
	}
	return &FileError{Problem: "something in it does not decrypt: the file was changed by hand or by a merge, and its checksum (MAC) does not match", Advice: restore}
}
