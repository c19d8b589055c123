package secrets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// nameEnd is the end of the names of encrypted files.
const nameEnd = ".enc.yaml"

// NameFor returns the name of the encrypted file of an environment, or FileName if environment is "". The previews of
// an environment, such as preview/pr-12, have its file.
func NameFor(environment string) string {
	environment, _, _ = strings.Cut(environment, "/")
	if environment == "" {
		return FileName
	}
	return strings.TrimSuffix(FileName, nameEnd) + "." + environment + nameEnd
}

// EnvironmentOf returns the environment of the encrypted file with a base name, or false if it is not the file of an
// environment.
func EnvironmentOf(name string) (environment string, ok bool) {
	environment, ok = strings.CutPrefix(strings.TrimSuffix(name, nameEnd), "secrets.")
	return environment, ok && environment != "" && !strings.Contains(environment, ".") && name == NameFor(environment)
}

// Place is where an app's secrets are: in the folder of its infraspec, for the chosen environment. It decides which
// files hold them, and which value counts.
type Place struct {
	Dir         string
	Environment string // "" if none is chosen
}

// Common returns the path of the file that all environments share.
func (p Place) Common() string { return filepath.Join(p.Dir, FileName) }

// Own returns the path of the environment's file, or that of the common file without an environment. It is the file
// that commands write.
func (p Place) Own() string { return filepath.Join(p.Dir, NameFor(p.Environment)) }

// Files returns the paths of the files, whether they exist or not. A value replaces those of the same name in earlier
// files.
func (p Place) Files() []string {
	if p.Environment == "" {
		return []string{p.Common()}
	}
	return []string{p.Common(), p.Own()}
}

// SetCommand returns the command that sets a value for the environment.
func (p Place) SetCommand(name string) string {
	command := "norn secrets set " + name
	if p.Environment != "" {
		command += " --env " + p.Environment
	}
	return command
}

// Entries returns the entries of the files in file order, each name once: the entry that counts. It needs no key.
// Problems are a *FileError, also if none of the files exists.
func (p Place) Entries() ([]Entry, error) {
	var all []Entry
	err := p.eachFile(func(path string) error {
		entries, err := Names(path)
		for _, e := range entries {
			if i := slices.IndexFunc(all, func(o Entry) bool { return o.Name == e.Name }); i >= 0 {
				all[i] = e
				continue
			}
			all = append(all, e)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachFile calls do with the path of each file. Only one of them must exist.
func (p Place) eachFile(do func(path string) error) error {
	found := false
	for _, path := range p.Files() {
		if p.Environment != "" && isAbsent(path) {
			continue
		}
		if err := do(path); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return p.missing()
	}
	return nil
}

// Empty reports whether none of the files exists.
func (p Place) Empty() bool {
	return !slices.ContainsFunc(p.Files(), func(path string) bool { return !isAbsent(path) })
}

// isAbsent reports whether there is no file at path. A link to nothing is a mistake, so it counts as a file.
func isAbsent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// missing returns the error for an environment without files.
func (p Place) missing() error {
	return &FileError{
		Path:    p.Own(),
		Problem: fmt.Sprintf("neither this file nor %s exists", FileName),
		Advice:  p.CreateAdvice() + "; or remove the names under secrets: in the infraspec",
		Err:     fs.ErrNotExist,
	}
}

// placeOf returns the place whose Own is the file at path.
func placeOf(path string) Place {
	environment, ok := EnvironmentOf(filepath.Base(path))
	if !ok {
		environment = ""
	}
	return Place{Dir: filepath.Dir(path), Environment: environment}
}

// CreateAdvice returns how to create the files if none exists.
func (p Place) CreateAdvice() string {
	set := "norn secrets set"
	if p.Environment != "" {
		set = p.SetCommand("NAME")
	}
	if rule, _, err := creationRule(p.Common()); err == nil && rule == nil {
		return "run norn secrets init, then " + set + " for each name"
	}
	return "create it with " + set
}

// holders returns the files of p for a message about names that they lack.
func (p Place) holders() string {
	if p.Environment == "" {
		return ""
	}
	return fmt.Sprintf(" here or in %s", FileName)
}
