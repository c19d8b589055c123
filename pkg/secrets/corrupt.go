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

const restore = "restore it from the repository's history, and change values only with norn secrets or sops"

// conflictMark matches the lines that git adds to a file it cannot merge (git-merge: How conflicts are presented).
var conflictMark = regexp.MustCompile(`(?m)^(<{7}|\|{7}|={7}|>{7})( .*)?\r?$`)

// checkComplete returns a *FileError if the file could not be loaded or lacks metadata that every SOPS file has.
func checkComplete(text []byte, tree sops.Tree, loadErr error) error {
	encrypted := bytes.Contains(text, []byte(cipherMark))
	incomplete := loadErr != nil || tree.Metadata.MessageAuthenticationCode == "" || tree.Metadata.Version == ""
	noMetadata := errors.Is(loadErr, sops.MetadataNotFound)
	mark := conflictMark.FindIndex(text)
	switch {
	case !incomplete:
		return nil
	case len(bytes.TrimSpace(text)) == 0:
		return &FileError{
			Problem: "the file is empty",
			Advice:  "restore it from the repository's history, or delete it and start over with norn secrets set",
		}
	case mark != nil:
		return &FileError{
			Problem: fmt.Sprintf("line %d: unresolved merge conflict", 1+bytes.Count(text[:mark[0]], []byte("\n"))),
			Advice:  "keep one side (git checkout --ours or --theirs), then set the other side's values with norn secrets set",
		}
	case encrypted && (loadErr == nil || noMetadata || !bytes.HasSuffix(text, []byte("\n")) || !hasVersion.Match(text)):
		return &FileError{Problem: "the file is truncated: the SOPS metadata at its end is incomplete", Advice: restore}
	case noMetadata:
		return &FileError{
			Problem: "not a SOPS file: it has no sops metadata",
			Advice: "encrypt it with sops encrypt --in-place, or set the values with norn secrets set; " +
				"norn does not accept plaintext secrets",
		}
	case encrypted:
		return &FileError{Problem: "the SOPS file is not valid YAML" + lineOf(loadErr), Advice: restore}
	default:
		return &FileError{Problem: "not a SOPS file in YAML" + lineOf(loadErr), Advice: restore}
	}
}

// hasVersion matches the last line that SOPS writes.
var hasVersion = regexp.MustCompile(`(?m)^\s+version: \S+$`)

var lineNumber = regexp.MustCompile(`line (\d+)`)

// lineOf returns the line number in a YAML error, as a suffix for a message. The rest of err may quote the file.
func lineOf(err error) string {
	if err == nil {
		return ""
	}
	if m := lineNumber.FindStringSubmatch(err.Error()); m != nil {
		return " (line " + m[1] + ")"
	}
	return ""
}

// decryptTree decrypts in place and verifies the MAC, like sops decrypt.
func (f *File) decryptTree() error {
	var inline []bool // Decrypt drops it
	comments(f.tree.Branches, func(c *sops.Comment) { inline = append(inline, c.Inline) })
	mac, err := f.tree.Decrypt(f.key, f.cipher)
	if err != nil { // err may quote a value
		return f.corruptValues()
	}
	comments(f.tree.Branches, func(c *sops.Comment) { c.Inline, inline = inline[0], inline[1:] })
	m := f.tree.Metadata
	want, err := f.cipher.Decrypt(m.MessageAuthenticationCode, f.key, m.LastModified.Format(time.RFC3339))
	switch {
	case err != nil && !bytes.HasSuffix(f.text, []byte("\n")):
		return &FileError{Problem: "the file is truncated: its checksum (MAC) is incomplete", Advice: restore}
	case err != nil:
		return &FileError{
			Problem: "the checksum (MAC) is corrupt, or does not belong to the file's lastmodified time",
			Advice:  restore,
		}
	case want != mac:
		return &FileError{
			Problem: "the checksum (MAC) does not match: the file was changed by hand or by a merge",
			Advice:  restore,
		}
	}
	return nil
}

// corruptValues returns an error that names the values that do not decrypt.
func (f *File) corruptValues() error {
	tree, err := load(f.Path, f.text)
	if err != nil {
		return err
	}
	var corrupt, plain []string
	for name, item := range (&File{tree: tree}).top() {
		one := sops.Tree{Metadata: tree.Metadata, Branches: sops.TreeBranches{{item}}}
		seen := shape(item.Value)
		if _, err := one.Decrypt(f.key, aes.NewCipher()); err == nil {
			continue
		}
		if seen == Plain {
			plain = append(plain, name)
		} else {
			corrupt = append(corrupt, name)
		}
	}
	switch {
	case len(plain) > 0:
		return &FileError{
			Problem: fmt.Sprintf("%s is not encrypted, after a change by hand or a merge, and the checksum (MAC) does not match",
				strings.Join(plain, ", ")),
			Advice: "remove it (git checkout), set it with norn secrets set, and replace the secret, since it was readable",
		}
	case len(corrupt) > 0:
		return &FileError{
			Problem: fmt.Sprintf("cannot decrypt %s: the value is corrupt or was moved, and the checksum (MAC) does not match",
				strings.Join(corrupt, ", ")),
			Advice: restore,
		}
	}
	return &FileError{
		Problem: "cannot decrypt the file: it was changed by hand or by a merge, and the checksum (MAC) does not match",
		Advice:  restore,
	}
}
