// Package secrets reads and writes an app's SOPS-encrypted file inside this process, as the sops command would. Its values are held in a
// type that shows itself to nobody by accident.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/logging"
	"github.com/getsops/sops/v3/stores/yaml"
)

// FileName is the name of the encrypted file in an app's folder.
const FileName = "secrets.enc.yaml"

// File is a decrypted SOPS file in memory.
type File struct {
	Path string

	text     []byte // as it was read, encrypted
	tree     sops.Tree
	key      []byte
	cipher   sops.Cipher // remembers how values were encrypted, so that what does not change stays the same in the file
	hidden   map[string]bool
	assigned []string // names that were set, which must not be readable in the file
}

// Open decrypts the SOPS file at path and verifies its MAC. Problems are a *FileError, whose text holds no value.
func Open(ctx context.Context, path string) (*File, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	return decrypt(ctx, path, text)
}

func decrypt(ctx context.Context, path string, text []byte) (*File, error) {
	tree, err := load(path, text)
	if err != nil {
		return nil, err
	}
	key, err := dataKey(ctx, &tree)
	if err != nil {
		return nil, withPath(err, path)
	}
	f := &File{Path: path, text: text, tree: tree, key: key, cipher: aes.NewCipher(), hidden: encryptedNames(tree.Branches)}
	if err := safely(func() error { return f.decryptTree() }); err != nil {
		return nil, withPath(err, path)
	}
	return f, nil
}

// Close forgets the key.
func (f *File) Close() {
	clear(f.key)
	f.key, f.tree.Metadata.DataKey = nil, nil
}

func read(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{Path: path, Problem: "the file does not exist", Advice: "make it with norn secrets set, or remove the names under secrets: in the infraspec", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	return text, nil
}

// load reads a SOPS file, its values as they are, encrypted.
func load(path string, text []byte) (tree sops.Tree, err error) {
	for _, l := range logging.Loggers { // the library's own log would go past norn's streams
		l.SetOutput(io.Discard)
	}
	var loadErr error
	err = safely(func() error {
		tree, loadErr = store(path).LoadEncryptedFile(text)
		return nil
	})
	if err == nil {
		err = checkComplete(text, tree, loadErr)
	}
	tree.FilePath = path
	if abs, absErr := filepath.Abs(path); absErr == nil {
		tree.FilePath = abs
	}
	return tree, withPath(err, path)
}

// store reads and writes YAML as .sops.yaml wants it.
func store(path string) *yaml.Store {
	if conf := configFile(path); conf != "" {
		if c, err := config.LoadStoresConfig(conf); err == nil && c.YAML.Indent >= 0 {
			return yaml.NewStore(&c.YAML)
		}
	}
	return yaml.NewStore(&config.YAMLStoreConfig{})
}

// safely makes an error of a panic: the library takes some files for impossible.
func safely(do func() error) (err error) {
	defer func() {
		if recover() != nil { // its text may quote the file
			err = &FileError{Problem: "it is not a SOPS file as sops writes them", Advice: restore}
		}
	}()
	return do()
}

// withPath names the file in an error that came from its bytes.
func withPath(err error, path string) error {
	var file *FileError
	if errors.As(err, &file) && file.Path == "" {
		file.Path = path
	}
	return err
}

// Values are the top-level values by name, each as the text that an environment variable gets. Lists and mappings are not among them.
func (f *File) Values() map[string]Value {
	values := map[string]Value{}
	for name, item := range f.top() {
		if text, ok := scalarText(item.Value); ok {
			values[name] = NewValue(text)
		}
	}
	return values
}

// Each calls do with every value that the file keeps encrypted, those in lists and mappings too, under its path.
func (f *File) Each(do func(name string, v Value)) {
	leaves(f.tree.Branches, func(path string, value any) {
		if text, ok := scalarText(value); ok && f.hidden[path] {
			do(path, NewValue(text))
		}
	})
}

// Pick returns the declared names' values, or a *FileError that lists all that are missing from the file, or that no environment
// variable can hold.
func (f *File) Pick(declared []string) (map[string]Value, error) {
	values, top := f.Values(), f.names()
	picked := map[string]Value{}
	var missing, nested, binary []string
	for _, name := range declared {
		v, ok := values[name]
		text := v.Reveal()
		switch {
		case !ok && slices.Contains(top, name):
			nested = append(nested, name)
		case !ok:
			missing = append(missing, name)
		case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
			binary = append(binary, name)
		default:
			picked[name] = v
		}
	}
	for _, p := range []struct {
		names           []string
		problem, advice string
	}{
		{missing, "the infraspec declares %s, and it is not there", "add them with norn secrets set, or remove them from the infraspec"},
		{nested, "lists or mappings are under %s, and an environment variable holds one string", "write them as text, such as JSON, with norn secrets set"},
		{binary, "bytes that are no text are under %s, which no environment variable can hold", "store them in base64, and decode them in the app"},
	} {
		if len(p.names) > 0 {
			slices.Sort(p.names)
			return nil, &FileError{Path: f.Path, Problem: fmt.Sprintf(p.problem, strings.Join(p.names, ", ")), Advice: p.advice}
		}
	}
	return picked, nil
}
