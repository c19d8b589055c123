package secrets

import (
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
	Plain     Shape = "plain"  // readable by everybody who has the file
	Nested    Shape = "nested" // a list or a mapping, which no environment variable can hold
)

// cipherMark is how SOPS begins a value that it has encrypted (github.com/getsops/sops: aes).
const cipherMark = "ENC["

// Names lists the values in the SOPS file at path, in its order, without a key and without their text.
// Problems are a *FileError.
func Names(path string) ([]Entry, error) {
	tree, err := load(path)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, branch := range tree.Branches {
		for _, item := range branch {
			name, ok := item.Key.(string)
			if !ok || suffixed(name, tree.Metadata.UnencryptedSuffix) {
				continue // a comment, or left readable on purpose
			}
			entries = append(entries, Entry{name, shape(item.Value)})
		}
	}
	return entries, nil
}

func suffixed(name, suffix string) bool { return suffix != "" && strings.HasSuffix(name, suffix) }

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
