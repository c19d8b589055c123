package infraspec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// Find loads the infraspec that arg means: none is the file here or in the nearest folder above, a path (it
// holds a separator, begins with a dot or ends in .yaml) is that file or folder, and a name is that folder under appsDir.
func Find(arg, here, appsDir string) (*Spec, []Finding, error) {
	switch {
	case arg == "":
		path, err := nearest(here)
		if err != nil {
			return nil, nil, err
		}
		return Load(path)
	case isPath(arg):
		path, err := inFolder(filepath.Join(here, arg))
		if filepath.IsAbs(arg) {
			path, err = inFolder(arg)
		}
		if err != nil {
			return nil, nil, err
		}
		return Load(path)
	default:
		return byName(arg, here, appsDir)
	}
}

func isPath(arg string) bool {
	return strings.ContainsRune(arg, filepath.Separator) || strings.HasPrefix(arg, ".") || filepath.Ext(arg) == ".yaml"
}

func nearest(here string) (string, error) {
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, FileName)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			return "", &NotFoundError{Looked: "in " + here + " or above it", advice: "go to the app's folder, or name the app"}
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
	return path, err
}

func byName(name, here, appsDir string) (*Spec, []Finding, error) {
	path := filepath.Join(appsDir, name, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		advice := "set --apps-dir or NORN_APPS_DIR to the folder that holds the apps, or give a path"
		if _, err := os.Stat(filepath.Join(here, name, FileName)); err == nil {
			advice = "for the folder here, write ./" + name
		}
		return nil, nil, &NotFoundError{Name: name, Looked: "for " + name + " in " + appsDir, advice: advice}
	}
	spec, warnings, err := Load(path)
	if err != nil {
		return nil, nil, err
	}
	if spec.App != name {
		return nil, nil, &NameError{Asked: name, Found: spec.App, Path: path}
	}
	return spec, warnings, nil
}
