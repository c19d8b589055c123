package secrets

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/keyservice"
)

// ErrUnchanged is returned by a change function that changes nothing. Update then does not write the file, and
// succeeds.
var ErrUnchanged = errors.New("no changes")

// attempts is how often Update tries while another program keeps writing the file.
const attempts = 5

// Update calls change with the decrypted file at path, then encrypts the result and replaces the file atomically. If
// the file does not exist, Update creates it by the rules of .sops.yaml. Other norn processes wait, or get a
// *HeldError. If another program writes the file at the same time, Update calls change again with the new contents, so
// no write is lost.
func Update(ctx context.Context, path string, change func(*File) error) error {
	if _, err := read(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // which names the link, not its target
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // replace the file, not the link
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
	return &FileError{
		Path:    path,
		Problem: "another program keeps writing it; nothing was changed",
		Advice:  "stop that program, then run the command again",
	}
}

// tryUpdate returns written = false if another program has written the file in the meantime.
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
	now, err := read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if !bytes.Equal(now, f.text) {
		return false, nil
	}
	return true, writeFile(path, text)
}

// Ready returns a *FileError if Update could not create the file at path. Callers use it before they prompt for a
// value.
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

// encrypt returns the file as sops would write it, after decrypting it once more as a check. It encrypts the tree in
// place, so f must not be used afterwards.
func (f *File) encrypt(ctx context.Context) ([]byte, error) {
	s, err := store(f.Path)
	if err != nil {
		return nil, err
	}
	if err := safely(func() error { return f.encryptTree(ctx) }); err != nil {
		return nil, err
	}
	var text []byte
	err = safely(func() (err error) {
		text, err = s.EmitEncryptedFile(f.tree)
		return err
	})
	if err != nil {
		return nil, &FileError{Problem: "the file cannot be written as YAML", Advice: "undo the last change"}
	}
	tree, err := load(f.Path, text)
	if err != nil {
		return nil, err
	}
	again := &File{Path: f.Path, text: text, tree: tree, key: f.key, cipher: aes.NewCipher()}
	if err := safely(again.decryptTree); err != nil {
		return nil, &FileError{
			Problem: "the encrypted file could not be read back; nothing was changed",
			Advice:  "check its comments and rules: SOPS cannot store them as they are",
			Err:     err,
		}
	}
	return text, nil
}

// encryptTree encrypts in place and updates the MAC, like the sops commands.
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
		return &FileError{
			Problem: "SOPS cannot encrypt the type of a value, such as a number with more than 19 digits",
			Advice:  "put the value in quotes",
		}
	}
	for name, item := range f.top() {
		for _, assigned := range f.assigned {
			if name == assigned && shape(item.Value) != Encrypted {
				return &FileError{
					Problem: name + " would not be encrypted: the file's rules exclude this name",
					Advice:  "choose another name, or change encrypted_regex and similar rules in " + RulesName + " and in the file",
				}
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

// newKey creates a data key and encrypts it for all recipients.
func (f *File) newKey(ctx context.Context) error {
	service := &keyService{LocalClient: keyservice.NewLocalClient(), ctx: ctx}
	key, errs := f.tree.GenerateDataKeyWithKeyServices([]keyservice.KeyServiceClient{service})
	if len(errs) > 0 {
		advice := "check the keys in " + RulesName + " and your access to them"
		if service.refused != nil {
			advice = service.refused.advice
		}
		return &FileError{
			Problem: "cannot encrypt the file for all recipients: " + reason(errors.Join(errs...)), Advice: advice,
		}
	}
	f.key = key
	return nil
}
