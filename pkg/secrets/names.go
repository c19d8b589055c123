package secrets

import (
	"encoding/base64"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/getsops/sops/v3"
)

// Entry describes one value of an encrypted file, as far as it is visible without a key.
type Entry struct {
	Name  string
	Shape Shape
	Size  int    // length of the decrypted value in bytes; 0 if unknown
	File  string // name of the file that has it
}

// Shape is the form of a value in the file.
type Shape string

// The shapes of a value.
const (
	Encrypted Shape = "encrypted"
	Plain     Shape = "plain"    // unencrypted, readable by anyone with the file
	Readable  Shape = "readable" // unencrypted because of the file's own rules
	Nested    Shape = "nested"   // a list or a mapping, which cannot be an environment variable
)

// cipherMark is the prefix of a value that SOPS has encrypted (github.com/getsops/sops: aes).
const cipherMark = "ENC["

// Names returns the entries of the SOPS file at path in file order. It needs no key. Problems are a *FileError.
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
		entries = append(entries, Entry{name, s, size(item.Value), filepath.Base(path)})
	}
	return entries, nil
}

// leftReadable reports whether the file's rules leave a top-level value unencrypted (getsops.io: Encrypting only parts
// of a file). If the rules go by comments, leftReadable returns true.
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

// cipherData matches an encrypted value's data. AES-GCM keeps the length (github.com/getsops/sops: aes).
var cipherData = regexp.MustCompile(`^ENC\[AES256_GCM,data:([A-Za-z0-9+/]*)(=*),iv:`)

// size returns the length of an encrypted value after its decryption, or 0 if it is unknown.
func size(value any) int {
	text, _ := value.(string)
	m := cipherData.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	return base64.RawStdEncoding.DecodedLen(len(m[1]))
}

func shape(value any) Shape {
	switch v := value.(type) {
	case nil: // SOPS does not encrypt empty values
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
