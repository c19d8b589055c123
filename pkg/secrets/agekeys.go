package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/getsops/sops/v3/age"
)

// ageKeyLocations returns the places where SOPS looks for age keys, each with the result of the search
// (github.com/getsops/sops: Encrypting using age).
func ageKeyLocations() []string {
	variable := func(name string) string {
		if os.Getenv(name) == "" {
			return name + ": not set"
		}
		if encoding := foreignEncoding([]byte(os.Getenv(name))); encoding != "" {
			return name + ": set, but is " + encoding
		}
		return name + ": set, but has no matching key"
	}
	named := func(name string) string {
		path := os.Getenv(name)
		if path == "" {
			return name + ": not set"
		}
		return fmt.Sprintf("%s: %s", name, inFile(path))
	}
	places := []string{named(age.SopsAgeKeyFileEnv), variable(age.SopsAgeKeyEnv), variable(age.SopsAgeKeyCmdEnv)}
	if path, err := ageKeyPath(); err == nil {
		places = append(places, inFile(path))
	}
	places = append(places, named(age.SopsAgeSshPrivateKeyFileEnv), variable(age.SopsAgeSshPrivateKeyCmdEnv))
	if home, err := os.UserHomeDir(); err == nil {
		for _, name := range []string{"id_ed25519", "id_rsa"} {
			places = append(places, inFile(filepath.Join(home, ".ssh", name)))
		}
	}
	return places
}

func inFile(path string) string {
	data, err := os.ReadFile(path) //nolint:gosec // the user names it
	encoding := foreignEncoding(data)
	switch {
	case encoding != "":
		return path + ": is " + encoding + ", which SOPS cannot read; save it as UTF-8 without a byte order mark"
	case err == nil:
		return path + ": exists, but has no matching key"
	case errors.Is(err, fs.ErrNotExist):
		return path + ": does not exist"
	case errors.Is(err, fs.ErrPermission):
		return path + ": permission denied"
	default:
		return path + ": cannot be read"
	}
}

// foreignEncoding returns the encoding of a key that SOPS cannot read, or "". Editors and PowerShell save such files.
// SOPS expects UTF-8 without a byte order mark.
func foreignEncoding(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")),
		len(data) > 1 && (data[0] == 0) != (data[1] == 0): // without a mark, but ASCII
		return "UTF-16"
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "UTF-8 with a byte order mark"
	}
	return ""
}

// AgeKeys returns the places with an age key for SOPS, and the path where norn would create one. It does not check
// whether a key decrypts a file.
func AgeKeys() (found []string, usual string) {
	for _, name := range []string{age.SopsAgeKeyEnv, age.SopsAgeKeyCmdEnv, age.SopsAgeSshPrivateKeyCmdEnv} {
		if os.Getenv(name) != "" {
			found = append(found, name)
		}
	}
	for _, name := range []string{age.SopsAgeKeyFileEnv, age.SopsAgeSshPrivateKeyFileEnv} {
		if path := os.Getenv(name); path != "" && usable(path) {
			found = append(found, fmt.Sprintf("%s (%s)", path, name))
		}
	}
	usual, err := ageKeyPath()
	if err == nil && usable(usual) {
		found = append(found, usual)
	}
	return found, usual
}

func usable(path string) bool {
	data, err := os.ReadFile(path) //nolint:gosec // the user names it
	return err == nil && foreignEncoding(data) == ""
}

// ageKeyPath returns the file where SOPS looks for age keys on this system. On macOS SOPS honours XDG_CONFIG_HOME, but
// os.UserConfigDir does not.
func ageKeyPath() (string, error) {
	dir, err := os.UserConfigDir()
	if xdg := os.Getenv("XDG_CONFIG_HOME"); runtime.GOOS == "darwin" && xdg != "" {
		dir, err = xdg, nil
	}
	if err != nil {
		return "", fmt.Errorf("find the folder for age keys: %w", err)
	}
	return filepath.Join(dir, filepath.FromSlash(age.SopsAgeKeyUserConfigPath)), nil
}
