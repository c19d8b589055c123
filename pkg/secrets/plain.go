package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/getsops/sops/v3"
	"gopkg.in/yaml.v3"
)

// SyntaxError reports why a text cannot be encrypted. It does not quote the text.
type SyntaxError struct{ Problem string }

// Error returns the problem.
func (e *SyntaxError) Error() string { return e.Problem }

// Plain returns the decrypted file with its comments, for an editor.
func (f *File) Plain() ([]byte, error) {
	if len(f.tree.Branches) == 0 {
		return nil, nil
	}
	s, err := store(f.Path)
	if err != nil {
		return nil, err
	}
	var text []byte
	err = safely(func() (err error) {
		text, err = s.EmitPlainFile(f.tree.Branches)
		return err
	})
	return text, withPath(err, f.Path)
}

// Replace replaces the decrypted file with text, or returns a *SyntaxError. guessed are the names whose values YAML
// does not read as written, such as 0123, which is a number.
func (f *File) Replace(text []byte) (guessed []string, err error) {
	s, err := store(f.Path)
	if err != nil {
		return nil, err
	}
	var branches sops.TreeBranches
	err = safely(func() (err error) {
		branches, err = s.LoadPlainFile(text)
		return err
	})
	switch {
	case errors.Is(err, io.EOF) || err == nil && len((&File{tree: sops.Tree{Branches: branches}}).names()) == 0:
		return nil, &SyntaxError{"the file is empty; norn secrets unset removes single names"}
	case err != nil && strings.Contains(err.Error(), "already defined"):
		return nil, &SyntaxError{"duplicate name" + lineOf(err)}
	case err != nil:
		return nil, &SyntaxError{"not YAML with a name and a value on each line" + lineOf(err)}
	}
	next := &File{tree: sops.Tree{Branches: branches}}
	for name, item := range next.top() {
		if name == metadataKey {
			return nil, &SyntaxError{fmt.Sprintf("the name %q is reserved for SOPS", name)}
		}
		if unquoted(text, name, item.Value) {
			guessed = append(guessed, name)
		}
	}
	leaves(branches, func(path string, _ any) { f.hidden[path] = true })
	f.tree.Branches = branches
	return guessed, nil
}

// unquoted reports whether YAML reads an unquoted value differently from how it is written.
func unquoted(text []byte, name string, value any) bool {
	if _, isText := value.(string); isText {
		return false
	}
	var written map[string]yaml.Node
	if yaml.NewDecoder(bytes.NewReader(text)).Decode(&written) != nil {
		return false
	}
	read, single := scalarText(value)
	node := written[name]
	return single && value != nil && node.Kind == yaml.ScalarNode && node.Value != read
}
