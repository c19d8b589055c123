package infraspec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// NotFoundError reports that there is no infraspec.
type NotFoundError struct {
	Name   string // the app's name, if the search was by name
	Where  string // the place of the search, such as "at apps/shop"
	advice string
}

// Error names the places that were searched.
func (e *NotFoundError) Error() string { return "no " + FileName + " " + e.Where }

// Hint returns advice.
func (e *NotFoundError) Hint() string { return e.advice }

// NameError reports that the infraspec found under one name sets another.
type NameError struct{ Asked, Found, Path string }

// Error names the requested app and the one in the file.
func (e *NameError) Error() string {
	return fmt.Sprintf("app %s was requested, but %s sets app: %s", e.Asked, e.Path, e.Found)
}

// Hint returns advice.
func (e *NameError) Hint() string {
	return fmt.Sprintf("rename the folder, fix app: in the file, or pass the app's path: %s", filepath.Dir(e.Path))
}

// Find loads the infraspec of arg; see Locate. If arg is a name, the file must set the same name.
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

// Locate returns the path of the infraspec of arg:
//   - "" is the infraspec in the folder here or its nearest parent that has one.
//   - A path (it contains a separator, begins with a dot or ends in .yaml) is that file, or that folder's infraspec.
//   - A name is the folder of that name in appsDir, the app of that name in here or a parent, an app whose infraspec is
//     in appsDir itself, or one in a folder of appsDir that several apps share, as infraspec.yaml and
//     infraspec.worker.yaml.
//
// If there is none, Locate returns a *NotFoundError.
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

// IsName reports whether arg is an app's name: neither a path nor empty.
func IsName(arg string) bool {
	return arg != "" && !strings.ContainsRune(arg, filepath.Separator) && !strings.HasPrefix(arg, ".") &&
		filepath.Ext(arg) != ".yaml"
}

const setAppsDir = "set --apps-dir or NORN_APPS_DIR to the folder that contains the folders of your apps"

// List returns the paths of all infraspecs in appsDir and in its folders, sorted, also of apps that share a folder. If
// there are none, it returns a *NotFoundError.
func List(appsDir string) ([]string, error) {
	folders, err := os.ReadDir(appsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{
			Where: "in " + appsDir + ", which does not exist", advice: setAppsDir,
		}
	}
	if err != nil {
		return nil, fmt.Errorf("list the apps: %w", err)
	}
	paths := inTop(appsDir)
	for _, f := range folders {
		path := filepath.Join(appsDir, f.Name(), FileName)
		// If Stat fails for another reason, reading the file reports it.
		if _, err := os.Stat(path); err == nil || f.IsDir() && !errors.Is(err, fs.ErrNotExist) {
			paths = append(paths, path)
		}
		paths = append(paths, further(filepath.Dir(path))...)
	}
	if len(paths) == 0 {
		return nil, &NotFoundError{Where: "in " + appsDir + " or its folders", advice: setAppsDir}
	}
	slices.Sort(paths)
	return paths, nil
}

// inTop returns the infraspecs in appsDir itself, such as that of a repository with one app.
func inTop(appsDir string) []string {
	paths := further(appsDir)
	path := filepath.Join(appsDir, FileName)
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		paths = append(paths, path)
	}
	return paths
}

// further returns the infraspecs of the apps that share a folder with its infraspec.yaml: infraspec.NAME.yaml.
func further(dir string) []string {
	entries, _ := os.ReadDir(dir) // who needs the folder reports why it cannot be read
	var paths []string
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "infraspec.")
		if ok && name != "yaml" && filepath.Ext(name) == ".yaml" {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// NameIn returns the name by which Locate finds the infraspec at a path of List: that of its folder or, if several apps
// share the folder or it is appsDir itself, the name that the file sets.
func NameIn(appsDir, path string) string {
	if filepath.Base(path) == FileName && filepath.Dir(path) != filepath.Clean(appsDir) {
		return filepath.Base(filepath.Dir(path))
	}
	return appIn(path)
}

func nearest(here string) (string, error) {
	for dir := here; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, FileName)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			advice := "change to the app's folder, pass the app's name, or create an infraspec with norn init"
			if apps := below(here); apps != "" {
				advice = "pass the folder of an app: " + apps
			}
			return "", &NotFoundError{Where: "in " + here + " or its parent folders", advice: advice}
		}
	}
}

// maxBelow is the number of folders that an error suggests.
const maxBelow = 5

// below returns the folders of the infraspecs one or two levels below here, for an error, or "".
func below(here string) string {
	var folders []string
	for _, pattern := range []string{"*/" + FileName, "*/*/" + FileName} {
		found, _ := fs.Glob(os.DirFS(here), pattern) // the pattern is valid
		for _, file := range found {
			if !strings.HasPrefix(file, ".") && !strings.Contains(file, "/.") {
				folders = append(folders, "."+string(filepath.Separator)+filepath.FromSlash(path.Dir(file)))
			}
		}
	}
	more := ""
	if len(folders) > maxBelow {
		folders, more = folders[:maxBelow], fmt.Sprintf(" and %d more", len(folders)-maxBelow)
	}
	return strings.Join(folders, ", ") + more
}

func inFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
		_, err = os.Stat(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", &NotFoundError{Where: "at " + path, advice: "check the path"}
	}
	return path, nil // reading the file reports any other error
}

// appIn returns the app name in an infraspec, even if the file has mistakes.
func appIn(path string) string {
	spec, _ := Inspect(path)
	return spec.App
}

func byName(name, here, appsDir string) (string, error) {
	path := filepath.Join(appsDir, name, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if own := sharing(name, here, appsDir); own != "" {
			return own, nil
		}
		advice := setAppsDir + ", or pass a path"
		if near := Nearest(name, namesIn(here, appsDir)); near != "" {
			advice = "did you mean " + near + "?"
		}
		if _, err := os.Stat(filepath.Join(here, name, FileName)); err == nil {
			advice = "to use the folder here, pass ./" + name
		}
		return "", &NotFoundError{Name: name, Where: "for " + name + " in " + appsDir, advice: advice}
	}
	return path, nil
}

// sharing returns the infraspec of the app name in the folder of the nearest infraspec, in appsDir itself, or in a
// folder of appsDir that several apps share. If there is none, it returns "".
func sharing(name, here, appsDir string) string {
	var paths []string
	if own, err := nearest(here); err == nil {
		paths = append([]string{own}, further(filepath.Dir(own))...)
	}
	paths = append(paths, inTop(appsDir)...)
	folders, _ := os.ReadDir(appsDir) // without apps, there is no app of this name
	for _, f := range folders {
		paths = append(paths, further(filepath.Join(appsDir, f.Name()))...)
	}
	for _, path := range paths {
		if appIn(path) == name {
			return path
		}
	}
	return ""
}

// namesIn returns the names of the apps in the folders of appsDir, and of the app that contains the folder here.
func namesIn(here, appsDir string) []string {
	var names []string
	paths, _ := List(appsDir) // without a list, there is no suggestion
	for _, path := range paths {
		names = append(names, NameIn(appsDir, path))
	}
	if own, err := nearest(here); err == nil {
		names = append(names, appIn(own))
	}
	return names
}
