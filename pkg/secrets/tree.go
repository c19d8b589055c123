package secrets

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/getsops/sops/v3"
)

// top returns the top-level items of the file's documents by name, without comments.
func (f *File) top() iter.Seq2[string, sops.TreeItem] {
	return func(yield func(string, sops.TreeItem) bool) {
		for _, branch := range f.tree.Branches {
			for _, item := range branch {
				if name, ok := item.Key.(string); ok && !yield(name, item) {
					return
				}
			}
		}
	}
}

func (f *File) names() []string {
	var names []string
	for name := range f.top() {
		names = append(names, name)
	}
	return names
}

// leaves calls do with every scalar and its path, such as db.password or hosts[0].
func leaves(branches sops.TreeBranches, do func(path string, value any)) {
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case sops.TreeBranch:
			for _, item := range v {
				if name, ok := item.Key.(string); ok {
					below := name
					if path != "" {
						below = path + "." + name
					}
					walk(below, item.Value)
				}
			}
		case []any:
			for i, item := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), item)
			}
		case sops.Comment:
		default:
			do(path, value)
		}
	}
	for _, branch := range branches {
		walk("", branch)
	}
}

// comments calls do with every comment in a mapping, and do may change the comment. In lists, SOPS treats encrypted
// comments as ordinary items.
func comments(branches sops.TreeBranches, do func(*sops.Comment)) {
	var walk func(value any)
	walk = func(value any) {
		switch v := value.(type) {
		case sops.TreeBranch:
			for i := range v {
				if c, ok := v[i].Key.(sops.Comment); ok {
					do(&c)
					v[i].Key = c
				}
				walk(v[i].Value)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	for _, branch := range branches {
		walk(branch)
	}
}

// encryptedNames returns the paths of the encrypted values in a tree that is not decrypted yet.
func encryptedNames(branches sops.TreeBranches) map[string]bool {
	names := map[string]bool{}
	leaves(branches, func(path string, value any) {
		if shape(value) == Encrypted {
			names[path] = true
		}
	})
	return names
}

// scalarText returns a YAML scalar as text for an environment variable: numbers in decimal, times in RFC 3339, null as
// "". SOPS does not preserve the original notation.
func scalarText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case time.Time:
		return v.Format(time.RFC3339Nano), true
	case nil:
		return "", true
	default:
		return "", false
	}
}

// Set sets a value in place, or appends it. It returns a *NameError for the name that SOPS reserves.
func (f *File) Set(name, text string) error {
	if name == metadataKey {
		return &NameError{name, "is reserved for SOPS"}
	}
	f.assigned, f.hidden[name] = append(f.assigned, name), true
	for b, branch := range f.tree.Branches {
		for i, item := range branch {
			if item.Key == name {
				f.tree.Branches[b][i].Value = text
				return nil
			}
		}
	}
	if len(f.tree.Branches) == 0 {
		f.tree.Branches = sops.TreeBranches{nil}
	}
	f.tree.Branches[0] = append(f.tree.Branches[0], sops.TreeItem{Key: name, Value: text})
	return nil
}

// metadataKey is the top-level name of the SOPS metadata.
const metadataKey = "sops"

// Unset removes a name, and reports whether it existed.
func (f *File) Unset(name string) bool {
	there := false
	for b, branch := range f.tree.Branches {
		f.tree.Branches[b] = slices.DeleteFunc(branch, func(item sops.TreeItem) bool {
			there = there || item.Key == name
			return item.Key == name
		})
	}
	return there
}
