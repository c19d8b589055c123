// Package validate checks apps without a cluster: the infraspec and the files it refers to.
package validate

import (
	"fmt"
	"path/filepath"

	"norn/pkg/infraspec"
)

// Report is the result for one app.
type Report struct {
	App      string // "" if the file does not set it
	Path     string
	Findings []infraspec.Finding // sorted by position
}

// One checks the app of arg; see infraspec.Locate.
func One(arg, here, appsDir string) (Report, error) {
	path, err := infraspec.Locate(arg, here, appsDir)
	if err != nil {
		return Report{}, err
	}
	spec, report := check(path)
	if infraspec.IsName(arg) && spec.App != arg && spec.App != "" {
		report.add(spec.Finding("app", infraspec.Error, infraspec.RuleFolder,
			fmt.Sprintf("app %s was requested, but this file sets app: %q", arg, spec.App)))
	}
	return report, nil
}

// All checks every app in the folders of appsDir, and that no two apps use the same name, host or Service. It calls
// each with every report as soon as the report is complete.
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
				fmt.Sprintf("the folder is named %q, so norn finds this app only by its path", folder)))
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

// claims maps a name, a Service or a host to the first app that uses it.
type claims map[string]string

func (c claims) take(spec *infraspec.Spec) []infraspec.Finding {
	var found []infraspec.Finding
	for _, key := range []struct{ path, value string }{
		{"app", spec.App},
		{"hosts.internal", spec.Hosts.Internal},
		{"hosts.external", spec.Hosts.External},
	} {
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
			fmt.Sprintf("%s is also used in %s; change one of them", key.path, first)))
	}
	return found
}
