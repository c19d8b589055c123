package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/keyservice"
)

// ErrUnchanged is returned by a change that changes nothing: the file is then left alone, and the update is a success.
var ErrUnchanged = errors.New("nothing to change")

// attempts is how often a change is made again on top of what another program has written meanwhile.
const attempts = 5

// Update lets change work on the decrypted file at path and writes what came of it, encrypted, in one piece. A file that does not exist is made by the
// rules of .sops.yaml. Other norns wait, or get a *HeldError; where another program writes at the same time, change is called again with what it
// wrote, so that nothing is lost.
func Update(ctx context.Context, path string, change func(*File) error) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // the link stays one
	}
	unlock, err := lock(ctx, path)
	if err != nil {
		return err
	}
	defer unlock()
	for range attempts {
		written, err := tryUpdate(ctx, path, change)
		if written || err != nil {
			return err
		}
	}
	return &FileError{Path: path, Problem: "another program keeps writing it; nothing was changed", Advice: "end that program, then run the command again"}
}

// tryUpdate reports false where the file was written by somebody else meanwhile.
func tryUpdate(ctx context.Context, path string, change func(*File) error) (written bool, err error) {
	f, err := openOrNew(ctx, path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if err := change(f); errors.Is(err, ErrUnchanged) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	text, err := f.encrypt(ctx)
	if err != nil {
		return false, withPath(err, path)
	}
	now, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read the secrets: %w", err)
	}
	if !bytes.Equal(now, f.text) {
		return false, nil
	}
	return true, writeFile(path, text)
}

// Ready reports, as a *FileError, what would keep Update from making the file at path. It is for those who ask for a value first.
func Ready(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_, err := newFile(path)
	return err
}

func openOrNew(ctx context.Context, path string) (*File, error) {
	f, err := Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return newFile(path)
	}
	return f, err
}

// encrypt is the file as sops would write it. The tree is encrypted in place, so that it is the last that is done with f. What
// comes out is decrypted once more before anybody relies on it.
func (f *File) encrypt(ctx context.Context) ([]byte, error) {
	err := safely(func() error { return f.encryptTree(ctx) })
	if err != nil {
		return nil, err
	}
	var text []byte
	err = safely(func() (err error) {
		text, err = store(f.Path).EmitEncryptedFile(f.tree)
		return err
	})
	if err != nil {
		return nil, &FileError{Problem: "it cannot be written as YAML", Advice: "take out what was changed last"}
	}
	tree, err := load(f.Path, text)
	if err != nil {
		return nil, err
	}
	again := &File{Path: f.Path, text: text, tree: tree, key: f.key, cipher: aes.NewCipher()}
	if err := safely(again.decryptTree); err != nil {
		return nil, &FileError{Problem: "what would be written could not be read again; nothing was changed", Advice: "look at its comments and rules: SOPS cannot keep this as it is", Err: err}
	}
	return text, nil
}

// encryptTree encrypts in place and renews the MAC, as sops' own commands do.
func (f *File) encryptTree(ctx context.Context) error {
	if f.key == nil {
		if err := f.newKey(ctx); err != nil {
			return err
		}
	}
	if f.cipher == nil {
		f.cipher = aes.NewCipher()
	}
	mac, err := f.tree.Encrypt(f.key, f.cipher)
	if err != nil {
		return &FileError{Problem: "a value is of a kind that SOPS cannot encrypt, such as a number with more than 19 digits", Advice: "write it in quotes"}
	}
	for name, item := range f.top() {
		for _, assigned := range f.assigned {
			if name == assigned && shape(item.Value) != Encrypted {
				return &FileError{Problem: name + " would be readable in it: its rules leave names like this unencrypted", Advice: "choose another name, or change encrypted_regex and the like in " + RulesName + " and in the file"}
			}
		}
	}
	m := &f.tree.Metadata
	m.LastModified = time.Now().UTC()
	m.MessageAuthenticationCode, err = f.cipher.Encrypt(mac, f.key, m.LastModified.Format(time.RFC3339))
	if err != nil {
		return errors.New("encrypt the checksum of the secrets")
	}
	return nil
}

// newKey makes a key for the values and encrypts it for every recipient.
func (f *File) newKey(ctx context.Context) error {
	service := &keyService{LocalClient: keyservice.NewLocalClient(), ctx: ctx}
	key, errs := f.tree.GenerateDataKeyWithKeyServices([]keyservice.KeyServiceClient{service})
	if len(errs) > 0 {
		return &FileError{Problem: "it cannot be encrypted for everybody: " + reason(errors.Join(errs...)), Advice: "check the keys in " + RulesName + ", and the access to them"}
	}
	f.key = key
	return nil
}
