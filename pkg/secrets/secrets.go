// Package secrets reads an app's SOPS-encrypted file inside this process. Its
// values are held in a type that shows itself to nobody by accident.
package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/stores/yaml"
)

// FileName is the name of the encrypted file in an app's folder.
const FileName = "secrets.enc.yaml"

// Value is one decrypted value. Every way of printing it says "[secret]"; Reveal is the one way out. It is held by a function, which
// even fmt's look into unexported fields does not see through.
type Value struct{ reveal func() string }

const masked = "[secret]"

// Reveal returns the value itself.
func (v Value) Reveal() string { return v.reveal() }

func newValue(text string) Value { return Value{func() string { return text }} }

// String implements fmt.Stringer without the value.
func (v Value) String() string { return masked }

// GoString implements fmt.GoStringer without the value.
func (v Value) GoString() string { return masked }

// Format implements fmt.Formatter without the value, for every verb.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(masked)) }

// MarshalJSON implements json.Marshaler without the value.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(masked) }

// MarshalText implements encoding.TextMarshaler without the value.
func (v Value) MarshalText() ([]byte, error) { return []byte(masked), nil }

// FileError says what is wrong with an encrypted file, or with the key for it.
type FileError struct {
	Path, Problem, Advice string
	Err                   error
}

// Error names the file and the problem.
func (e *FileError) Error() string { return e.Path + ": " + e.Problem }

// Hint is what to do about it.
func (e *FileError) Hint() string { return e.Advice }

func (e *FileError) Unwrap() error { return e.Err }

// Decrypt reads the SOPS file at path and returns its top-level values by name. The file's MAC is
// verified. Problems are a *FileError, whose text holds no value.
func Decrypt(path string) (map[string]Value, error) {
	tree, err := load(path)
	if err != nil {
		return nil, err
	}
	if err := decryptTree(&tree); err != nil {
		err.Path = path
		return nil, err
	}
	return topLevel(path, tree.Branches)
}

// load reads the SOPS file at path, its values as they are, encrypted.
func load(path string) (sops.Tree, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return sops.Tree{}, &FileError{path, "the file does not exist", "create it with sops, or remove the names under secrets: in the infraspec", err}
	}
	if err != nil {
		return sops.Tree{}, fmt.Errorf("read the secrets: %w", err)
	}
	tree, err := yaml.NewStore(&config.YAMLStoreConfig{}).LoadEncryptedFile(data)
	switch {
	case errors.Is(err, sops.MetadataNotFound):
		return sops.Tree{}, &FileError{path, "it is not a SOPS file: it has no sops metadata", "encrypt it with sops; plaintext is never sent on", nil}
	case err != nil:
		return sops.Tree{}, &FileError{path, "it is not a SOPS file in YAML", "restore it from the repository's history; a merge may have broken it", nil}
	}
	return tree, nil
}

// decryptTree decrypts in place and verifies the MAC, as sops' own decrypt does.
func decryptTree(tree *sops.Tree) *FileError {
	key, err := tree.Metadata.GetDataKey()
	if err != nil {
		return &FileError{
			Problem: fmt.Sprintf("no key here decrypts it; it is encrypted for %s", recipients(tree.Metadata)),
			Advice:  "set SOPS_AGE_KEY_FILE (or SOPS_AGE_KEY) to a key of one of them",
			Err:     err,
		}
	}
	defer clear(key)
	changed := &FileError{
		Problem: "its checksum (MAC) does not match: the file was changed by hand or by a merge",
		Advice:  "restore it from the repository's history, and change values with sops only",
	}
	cipher := aes.NewCipher()
	mac, err := tree.Decrypt(key, cipher)
	if err != nil {
		return changed // the library's text can quote what it found
	}
	want, err := cipher.Decrypt(tree.Metadata.MessageAuthenticationCode, key, tree.Metadata.LastModified.Format(time.RFC3339))
	if err != nil || want != mac {
		return changed
	}
	return nil
}

func recipients(m sops.Metadata) string {
	var out []string
	for _, group := range m.KeyGroups {
		for _, k := range group {
			out = append(out, k.TypeToIdentifier()+" "+k.ToString())
		}
	}
	if len(out) == 0 {
		return "nobody"
	}
	text := out[0]
	for _, r := range out[1:] {
		text += ", " + r
	}
	return text
}

func topLevel(path string, branches sops.TreeBranches) (map[string]Value, error) {
	values := map[string]Value{}
	for _, branch := range branches {
		for _, item := range branch {
			name, ok := item.Key.(string)
			if !ok { // a comment
				continue
			}
			text, ok := scalarText(item.Value)
			if !ok {
				return nil, &FileError{path, fmt.Sprintf("%q is not a single value", name), "an environment variable holds one string; write nested values as a string", nil}
			}
			values[name] = newValue(text)
		}
	}
	return values, nil
}

// scalarText is a YAML scalar as the text an environment variable gets.
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
		return v.Format(time.RFC3339), true
	case nil:
		return "", true
	default:
		return "", false
	}
}

// Pick returns the declared names' values, or a *FileError that lists all that are missing from the file.
func Pick(path string, values map[string]Value, declared []string) (map[string]Value, error) {
	picked := map[string]Value{}
	var missing []string
	for _, name := range declared {
		v, ok := values[name]
		if !ok {
			missing = append(missing, name)
			continue
		}
		picked[name] = v
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return nil, &FileError{path, fmt.Sprintf("%v declared in the infraspec but not in the file", missing), "add them with sops, or remove them from the infraspec", nil}
	}
	return picked, nil
}
