package secrets

import (
	"regexp"
	"strings"

	"github.com/getsops/sops/v3"
)

// Entry is what an encrypted file shows of one of its values to somebody without a key.
type Entry struct {
	Name  string
	Shape Shape
}

// Shape is what a value looks like from outside.
type Shape string

// The shapes that a value can have.
const (
	Encrypted Shape = "encrypted"
	Plain     Shape = "plain"    // readable by everybody who has the file
	Readable  Shape = "readable" // likewise, as the file's own rules want it
	Nested    Shape = "nested"   // a list or a mapping, which no environment variable can hold
)

// cipherMark is how SOPS begins a value that it has encrypted (github.com/getsops/sops: aes).
const cipherMark = "ENC["

// Names lists the values in the SOPS file at path, in its order, without a key and without their text.
// Problems are a *FileError.
func Names(path string) ([]Entry, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	tree, err := load(path, text)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for name, item := range (&File{tree: tree}).top() {
		s := shape(item.Value)
		if s == Plain && leftReadable(name, tree.Metadata) {
			s = Readable
		}
		entries = append(entries, Entry{name, s})
	}
	return entries, nil
}

// leftReadable reports whether the file's rules leave a top-level value unencrypted (getsops.io: Encrypting only parts of a file).
// Where they go by comments, that is taken from what is found.
func leftReadable(name string, m sops.Metadata) bool {
	matches := func(pattern string) bool {
		re, err := regexp.Compile(pattern)
		return err == nil && re.MatchString(name)
	}
	switch {
	case m.UnencryptedSuffix != "":
		return strings.HasSuffix(name, m.UnencryptedSuffix)
	case m.EncryptedSuffix != "":
		return !strings.HasSuffix(name, m.EncryptedSuffix)
	case m.UnencryptedRegex != "":
		return matches(m.UnencryptedRegex)
	case m.EncryptedRegex != "":
		return !matches(m.EncryptedRegex)
	}
	return m.UnencryptedCommentRegex != "" || m.EncryptedCommentRegex != ""
}

func shape(value any) Shape {
	switch v := value.(type) {
	case nil: // SOPS leaves what is empty as it is
		return Encrypted
	case sops.TreeBranch, []any:
		return Nested
	case string:
		if strings.HasPrefix(v, cipherMark) || v == "" {
			return Encrypted
		}
	}
	return Plain
}
