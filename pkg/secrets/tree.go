package secrets

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/getsops/sops/v3"
)

// top are the items of the file's documents, without comments.
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

// leaves calls do with every single value and where it stands, such as db.password or hosts[0].
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

// comments calls do with every comment of a mapping, which may change it. Those of lists are items to SOPS once they are encrypted.
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

// encryptedNames are the paths of the values that an encrypted tree keeps encrypted.
func encryptedNames(branches sops.TreeBranches) map[string]bool {
	names := map[string]bool{}
	leaves(branches, func(path string, value any) {
		if shape(value) == Encrypted {
			names[path] = true
		}
	})
	return names
}

// scalarText is a YAML scalar as the text an environment variable gets: numbers in decimal digits, true and false, times as RFC 3339 has
// them, nothing as the empty text. SOPS keeps no more of them than that.
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

// Set gives a name a value, in the place that it has or at the end. It returns a *NameError for a name that SOPS keeps for itself.
func (f *File) Set(name, text string) error {
	if name == metadataKey {
		return &NameError{name, "is what SOPS keeps its own data under"}
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

// metadataKey is the top-level name that SOPS keeps its own data under.
const metadataKey = "sops"

// Unset takes a name out, and reports whether it was there.
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
