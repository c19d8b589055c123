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

// SyntaxError says why a text cannot be what is encrypted. It quotes nothing of the text.
type SyntaxError struct{ Problem string }

// Error is the problem.
func (e *SyntaxError) Error() string { return e.Problem }

// Plain is the file decrypted, with its comments, as one edits it.
func (f *File) Plain() ([]byte, error) {
	if len(f.tree.Branches) == 0 {
		return nil, nil
	}
	var text []byte
	err := safely(func() (err error) {
		text, err = store(f.Path).EmitPlainFile(f.tree.Branches)
		return err
	})
	return text, withPath(err, f.Path)
}

// Replace makes text what is encrypted. A text that cannot be is a *SyntaxError. Guessed are the names whose values YAML reads as
// something else than what is written, such as 0123 as a number.
func (f *File) Replace(text []byte) (guessed []string, err error) {
	var branches sops.TreeBranches
	err = safely(func() (err error) {
		branches, err = store(f.Path).LoadPlainFile(text)
		return err
	})
	switch {
	case errors.Is(err, io.EOF) || err == nil && len((&File{tree: sops.Tree{Branches: branches}}).names()) == 0:
		return nil, &SyntaxError{"it is empty; norn secrets unset takes single names out"}
	case err != nil && strings.Contains(err.Error(), "already defined"):
		return nil, &SyntaxError{"it has a name twice" + lineOf(err)}
	case err != nil:
		return nil, &SyntaxError{"it is not YAML with a name and a value on each line" + lineOf(err)}
	}
	next := &File{tree: sops.Tree{Branches: branches}}
	for name, item := range next.top() {
		if name == metadataKey {
			return nil, &SyntaxError{fmt.Sprintf("it has the name %q, which SOPS keeps for itself", name)}
		}
		if unquoted(text, name, item.Value) {
			guessed = append(guessed, name)
		}
	}
	leaves(branches, func(path string, _ any) { f.hidden[path] = true })
	f.tree.Branches = branches
	return guessed, nil
}

// unquoted reports whether a value is written otherwise than it will be read.
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
