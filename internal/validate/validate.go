// Package validate checks apps without a cluster: the infraspec, and what it says of the files beside it.
package validate

import (
	"fmt"
	"path/filepath"

	"norn/pkg/infraspec"
)

// Report is what is found about one app.
type Report struct {
	App      string // "" where the file does not say
	Path     string
	Findings []infraspec.Finding // in the order of their places
}

// One checks the app that arg means; see infraspec.Locate.
func One(arg, here, appsDir string) (Report, error) {
	path, err := infraspec.Locate(arg, here, appsDir)
	if err != nil {
		return Report{}, err
	}
	spec, report := check(path)
	if infraspec.IsName(arg) && spec.App != arg && spec.App != "" {
		report.add(spec.Finding("app", infraspec.Error, infraspec.RuleFolder,
			fmt.Sprintf("the app is asked for as %s, and calls itself %q", arg, spec.App)))
	}
	return report, nil
}

// All checks every app in the folders of appsDir, and that no two of them claim the same. Each report is handed on as soon as it is there.
func All(appsDir string, each func(Report) error) error {
	paths, err := infraspec.List(appsDir)
	if err != nil {
		return err
	}
	claims := claims{}
	for _, path := range paths {
		spec, report := check(path)
		if folder := filepath.Base(filepath.Dir(path)); spec.App != folder && spec.App != "" {
			report.add(spec.Finding("app", infraspec.Warning, infraspec.RuleFolder,
				fmt.Sprintf("the folder is called %q, so that norn finds this app by its path only", folder)))
		}
		report.add(claims.take(spec)...)
		if err := each(report); err != nil {
			return err
		}
	}
	return nil
}

func check(path string) (*infraspec.Spec, Report) {
	spec, found := infraspec.Inspect(path)
	report := Report{App: spec.App, Path: path, Findings: found}
	report.add(referencedFiles(spec)...)
	return spec, report
}

func (r *Report) add(more ...infraspec.Finding) {
	r.Findings = infraspec.Sort(append(r.Findings, more...))
}

// claims remembers which app was the first to claim a name, a Service or a host.
type claims map[string]string

func (c claims) take(spec *infraspec.Spec) []infraspec.Finding {
	var found []infraspec.Finding
	for _, key := range []struct{ path, value string }{{"app", spec.App}, {"hosts.internal", spec.Hosts.Internal}, {"hosts.external", spec.Hosts.External}} {
		if key.value == "" {
			continue
		}
		claim := key.path + " " + key.value
		first, taken := c[claim]
		if !taken {
			c[claim] = spec.Path()
			continue
		}
		found = append(found, spec.Finding(key.path, infraspec.Warning, infraspec.RuleHostTaken,
			fmt.Sprintf("%s is the same in %s; only one of the two can have it", key.path, first)))
	}
	return found
}
