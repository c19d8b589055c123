// Package secrets reads and writes an app's SOPS-encrypted file in this process, as the sops command would. The type of
// its values prevents printing them by accident.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/logging"
	"github.com/getsops/sops/v3/stores/yaml"

	"norn/internal/regularfile"
)

// FileName is the name of the encrypted file in an app's folder.
const FileName = "secrets.enc.yaml"

// File is a decrypted SOPS file in memory.
type File struct {
	Path string

	text     []byte // as read from disk, encrypted
	tree     sops.Tree
	key      []byte
	cipher   sops.Cipher // caches ciphertexts, so that unchanged values stay unchanged in the file
	hidden   map[string]bool
	assigned []string // names set by Set, whose values must be encrypted in the file
}

// Open decrypts the SOPS file at path and verifies its MAC. Problems are a *FileError, which contains no secret value.
func Open(ctx context.Context, path string) (*File, error) { return open(ctx, path, false) }

// OpenLocally is like Open, but uses only the keys of this machine. It sends nothing to a key service in a network.
func OpenLocally(ctx context.Context, path string) (*File, error) { return open(ctx, path, true) }

func open(ctx context.Context, path string, local bool) (*File, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	return decrypt(ctx, path, text, local)
}

func decrypt(ctx context.Context, path string, text []byte, local bool) (*File, error) {
	tree, err := load(path, text)
	if err != nil {
		return nil, err
	}
	key, err := dataKey(ctx, &tree, local)
	if err != nil {
		return nil, withPath(err, path)
	}
	f := &File{Path: path, text: text, tree: tree, key: key, cipher: aes.NewCipher()}
	f.hidden = encryptedNames(tree.Branches)
	if err := safely(func() error { return f.decryptTree() }); err != nil {
		return nil, withPath(err, path)
	}
	return f, nil
}

// Close erases the key.
func (f *File) Close() {
	clear(f.key)
	f.key, f.tree.Metadata.DataKey = nil, nil
}

// maxSize is the maximum size of an encrypted file in bytes. A Secret holds at most 1 MiB, or 1.4 MiB encrypted.
const maxSize = 4 << 20

func read(path string) ([]byte, error) {
	text, err := regularfile.Read(path, maxSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{
			Path:    path,
			Problem: "the file does not exist",
			Advice:  placeOf(path).CreateAdvice() + "; or remove the names under secrets: in the infraspec",
			Err:     err,
		}
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	return text, nil
}

// unreadable returns a *FileError for the error of reading the file at path.
func unreadable(path string, err error) error {
	reason := err
	if place, ok := errors.AsType[*fs.PathError](err); ok {
		reason = place.Err // the error already names the path
	}
	return &FileError{
		Path:    path,
		Problem: fmt.Sprintf("cannot read the file: %v", reason),
		Advice:  "check the file's type, size and permissions; git diff shows whether it has changed",
		Err:     err,
	}
}

// load parses a SOPS file without decrypting its values.
func load(path string, text []byte) (tree sops.Tree, err error) {
	for _, l := range logging.Loggers { // the library would log to stderr directly
		l.SetOutput(io.Discard)
	}
	s, err := store(path)
	if err != nil {
		return tree, err
	}
	var loadErr error
	err = safely(func() error {
		tree, loadErr = s.LoadEncryptedFile(text)
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

// store returns the store that reads and writes YAML, with the settings of .sops.yaml.
func store(path string) (*yaml.Store, error) {
	conf, err := configFile(path)
	if err != nil {
		return nil, err
	}
	if conf != "" {
		if c, err := config.LoadStoresConfig(conf); err == nil && c.YAML.Indent >= 0 {
			return yaml.NewStore(&c.YAML), nil
		}
	}
	return yaml.NewStore(&config.YAMLStoreConfig{}), nil
}

// safely turns a panic into an error: the library panics on some invalid files.
func safely(do func() error) (err error) {
	defer func() {
		if recover() != nil { // the value may quote the file
			err = &FileError{Problem: "not in the layout that sops writes", Advice: restore}
		}
	}()
	return do()
}

// withPath sets the path of a *FileError that lacks one.
func withPath(err error, path string) error {
	var file *FileError
	if errors.As(err, &file) && file.Path == "" {
		file.Path = path
	}
	return err
}

// Values returns the top-level values by name, as text for an environment variable. It omits lists and mappings.
func (f *File) Values() map[string]Value {
	values := map[string]Value{}
	for name, item := range f.top() {
		if text, ok := scalarText(item.Value); ok {
			values[name] = NewValue(text)
		}
	}
	return values
}

// Each calls do with every encrypted value and its path, including those in lists and mappings.
func (f *File) Each(do func(name string, v Value)) {
	leaves(f.tree.Branches, func(path string, value any) {
		if text, ok := scalarText(value); ok && f.hidden[path] {
			do(path, NewValue(text))
		}
	})
}
