package infraspec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// NotFoundError says that no infraspec is where it was looked for.
type NotFoundError struct {
	Name   string // the app's name, where one was given
	Looked string
	advice string
}

// Error says where it was looked for.
func (e *NotFoundError) Error() string { return "no " + FileName + " " + e.Looked }

// Hint is what to do about it.
func (e *NotFoundError) Hint() string { return e.advice }

// NameError says that the app found under a name calls itself something else.
type NameError struct{ Asked, Found, Path string }

// Error names both.
func (e *NameError) Error() string {
	return fmt.Sprintf("%s is asked for, but %s says app: %s", e.Asked, e.Path, e.Found)
}

// Hint is what to do about it.
func (e *NameError) Hint() string {
	return fmt.Sprintf("rename the folder, correct app: in the file, or name the app by its path: %s", filepath.Dir(e.Path))
}

// Find loads the infraspec that arg means; see Locate. Where arg is a name, the file must say the same.
func Find(arg, here, appsDir string) (*Spec, []Finding, error) {
	path, err := Locate(arg, here, appsDir)
	if err != nil {
		return nil, nil, err
	}
	spec, findings, err := Load(path)
	if err == nil && IsName(arg) && spec.App != arg {
		return nil, nil, &NameError{Asked: arg, Found: spec.App, Path: path}
	}
	return spec, findings, err
}

// Locate returns the path of the infraspec that arg means: none is the file here or in the nearest folder above, a path (it
// holds a separator, begins with a dot or ends in .yaml) is that file or folder, and a name is that folder under appsDir, or the app here or above.
// It returns a *NotFoundError where there is none.
func Locate(arg, here, appsDir string) (string, error) {
	switch {
	case arg == "":
		return nearest(here)
	case IsName(arg):
		return byName(arg, here, appsDir)
	case filepath.IsAbs(arg):
		return inFolder(arg)
	default:
		return inFolder(filepath.Join(here, arg))
	}
}

// IsName reports whether arg is an app's name, and neither a path nor nothing.
func IsName(arg string) bool {
	return arg != "" && !strings.ContainsRune(arg, filepath.Separator) && !strings.HasPrefix(arg, ".") && filepath.Ext(arg) != ".yaml"
}

// List returns the paths of all infraspecs in the folders of appsDir, in the order of the folders' names.
// An appsDir that does not exist is a *NotFoundError.
func List(appsDir string) ([]string, error) {
	folders, err := os.ReadDir(appsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{Looked: "in " + appsDir + ", which does not exist", advice: "set --apps-dir or NORN_APPS_DIR to the folder that holds the apps"}
	}
	if err != nil {
		return nil, fmt.Errorf("list the apps: %w", err)
	}
	var paths []string
	for _, f := range folders {
		path := filepath.Join(appsDir, f.Name(), FileName)
		if _, err := os.Stat(path); err == nil || f.IsDir() && !errors.Is(err, fs.ErrNotExist) { // what cannot be read is told of when it is read
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

func nearest(here string) (string, error) {
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, FileName)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", &NotFoundError{Looked: "in " + here + " or above it", advice: "go to the app's folder, or name the app; norn init writes a new one"}
		}
	}
}

func inFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
		_, err = os.Stat(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", &NotFoundError{Looked: "at " + path, advice: "check the path"}
	}
	return path, nil // what else is wrong with it is told of when it is read
}

// appIn is what an infraspec calls its app, whatever else is in it.
func appIn(path string) string {
	spec, _ := Inspect(path)
	return spec.App
}

func byName(name, here, appsDir string) (string, error) {
	path := filepath.Join(appsDir, name, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if own, err := nearest(here); err == nil && appIn(own) == name {
			return own, nil
		}
		advice := "set --apps-dir or NORN_APPS_DIR to the folder that holds the apps, or give a path"
		if _, err := os.Stat(filepath.Join(here, name, FileName)); err == nil {
			advice = "for the folder here, write ./" + name
		}
		return "", &NotFoundError{Name: name, Looked: "for " + name + " in " + appsDir, advice: advice}
	}
	return path, nil
}
