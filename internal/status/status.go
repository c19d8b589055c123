// Package status finds the apps on disk and in the cluster, and describes their state.
package status

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"norn/pkg/infraspec"
)

// Local is an app found on disk: its spec, or the reason why the infraspec is invalid.
type Local struct {
	Name    string // the app's name, or its folder's if the file has none
	Path    string
	Spec    *infraspec.Spec // nil if there is a Problem
	Problem string
	// Environment is the chosen one, or "".
	Environment string
}

// In returns the app with a chosen environment, which is "" for none. A preview has another name than its app.
func (l Local) In(environment string) Local {
	l.Environment = environment
	if l.Spec != nil {
		if laid, err := l.Spec.In(environment); err == nil {
			l.Name = laid.App
		}
	}
	return l
}

// OnDisk finds the apps in the folders of appsDir, and the app that contains the folder here. It treats a missing
// appsDir as empty.
func OnDisk(here, appsDir string) ([]Local, error) {
	paths, err := infraspec.List(appsDir)
	var missing *infraspec.NotFoundError
	if err != nil && !errors.As(err, &missing) {
		return nil, err
	}
	path, err := infraspec.Locate("", here, appsDir)
	if err == nil && !slices.ContainsFunc(paths, func(p string) bool { return sameFile(p, path) }) {
		paths = append(paths, path)
	}
	var out []Local
	for _, path := range paths {
		out = append(out, local(appsDir, path))
	}
	return out, nil
}

func sameFile(a, b string) bool {
	one, err1 := os.Stat(a)
	two, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, two)
}

func local(appsDir, path string) Local {
	l := Local{Name: cmp.Or(infraspec.NameIn(appsDir, path), filepath.Base(path)), Path: path}
	spec, found := infraspec.Inspect(path)
	switch {
	case infraspec.HasErrors(found):
		l.Problem = "cannot be used: " + firstError(found)
	default:
		l.Name, l.Spec = spec.App, spec
	}
	return l
}

// firstError returns the first error with its line, and the number of further errors.
func firstError(found []infraspec.Finding) string {
	errs := slices.DeleteFunc(slices.Clone(found), func(f infraspec.Finding) bool {
		return f.Severity != infraspec.Error
	})
	text := errs[0].Message
	if errs[0].Line > 0 {
		text = fmt.Sprintf("line %d: %s", errs[0].Line, text)
	}
	if more := len(errs) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// hosts returns an app's host names, the public one first.
func hosts(spec *infraspec.Spec) []string {
	out := slices.Clone([]string(spec.Hosts.External))
	if spec.Hosts.Internal != "" {
		out = append(out, spec.Hosts.Internal)
	}
	return out
}
