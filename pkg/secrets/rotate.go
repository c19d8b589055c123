package secrets

import (
	"context"
	"errors"
	"io/fs"
	"slices"
)

// Rotation is the result of Rotate.
type Rotation struct {
	Rules          string   // the .sops.yaml that named the recipients, or "" if the file kept its own
	Recipients     []string // who can decrypt the file now
	Added, Removed []string
}

// Rotate encrypts all values of the file at path with a new key for the recipients in .sops.yaml. It fails if the
// caller could not decrypt the result, so users cannot lock themselves out.
func Rotate(ctx context.Context, path string) (*Rotation, error) {
	var done Rotation
	if _, err := read(path); errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	err := Update(ctx, path, func(f *File) error {
		rule, from, err := ruleFor(path)
		if err != nil {
			return err
		}
		before := recipients(f.tree.Metadata.KeyGroups)
		if rule != nil {
			m := &f.tree.Metadata
			m.KeyGroups = rule.KeyGroups
			m.ShamirThreshold = min(m.ShamirThreshold, len(rule.KeyGroups))
			if rule.ShamirThreshold > 0 {
				m.ShamirThreshold = rule.ShamirThreshold
			}
			if len(rule.KeyGroups) == 1 {
				m.ShamirThreshold = 0
			}
		}
		clear(f.key)
		f.tree.Metadata.DataKey = nil
		if err := f.newKey(ctx); err != nil {
			return err
		}
		after := recipients(f.tree.Metadata.KeyGroups)
		done = Rotation{Rules: from, Recipients: after, Added: without(after, before), Removed: without(before, after)}
		return f.readable(ctx)
	})
	if err != nil {
		return nil, err
	}
	return &done, nil
}

// readable returns an error if the caller cannot decrypt the new key.
func (f *File) readable(ctx context.Context) error {
	tree := f.tree
	tree.Metadata.DataKey = nil
	key, err := dataKey(ctx, &tree, false)
	clear(key)
	var file *FileError
	if errors.As(err, &file) {
		return &FileError{
			Path:     f.Path,
			Problem:  "you could no longer decrypt it: " + file.Problem + "; nothing was changed",
			Advice:   "add one of your keys to " + RulesName + ", or ask a remaining recipient to rotate the file",
			Searched: file.Searched,
		}
	}
	return err
}

// without returns the names in a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
}
