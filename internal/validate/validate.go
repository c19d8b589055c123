// Package validate checks apps without a cluster: the infraspec and the files it refers to.
package validate

import (
	"fmt"
	"path/filepath"
	"slices"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
)

// Report is the result for one app.
type Report struct {
	App      string // "" if the file does not set it
	Path     string
	Findings []infraspec.Finding // sorted by position
}

// Settings are the settings that the checks depend on.
type Settings struct {
	AppsDir string // the folder with the apps
	// Environment is the only one to check, or "" for all.
	Environment string
	HostPaths   []string // the folders of the nodes that apps may mount
}

// One checks the app of arg; see infraspec.Locate.
func One(arg, here string, s Settings) (Report, error) {
	path, err := infraspec.Locate(arg, here, s.AppsDir)
	if err != nil {
		return Report{}, err
	}
	spec, report, err := s.check(path)
	if err != nil {
		return Report{}, err
	}
	if infraspec.IsName(arg) && spec.App != arg && spec.App != "" {
		report.add(spec.Finding("app", infraspec.Error, infraspec.RuleFolder,
			fmt.Sprintf("app %s was requested, but this file sets app: %q", arg, spec.App)))
	}
	return report, nil
}

// All checks every app in the folders of s.AppsDir, and that no two apps use the same name, host or Service. It calls
// each with every report as soon as the report is complete.
func All(s Settings, each func(Report) error) error {
	paths, err := infraspec.List(s.AppsDir)
	if err != nil {
		return err
	}
	claims := claims{}
	names := make([]string, 0, len(paths))
	for _, path := range paths {
		names = append(names, infraspec.NameIn(s.AppsDir, path))
	}
	for i, path := range paths {
		spec, report, err := s.check(path)
		if err != nil { // the app does not have the environment
			report.add(spec.Finding("environments", infraspec.Error, infraspec.RuleEnvironment, err.Error()))
			if err := each(report); err != nil {
				return err
			}
			continue
		}
		if name := names[i]; spec.App != name && spec.App != "" {
			report.add(spec.Finding("app", infraspec.Warning, infraspec.RuleFolder,
				fmt.Sprintf("the folder is named %q, so norn finds this app only by its path", name)))
		}
		report.add(claims.take(spec)...)
		for i, name := range spec.Needs {
			if !slices.Contains(names, name) {
				report.add(spec.Finding(fmt.Sprintf("needs[%d]", i), infraspec.Warning, infraspec.RuleFolder,
					fmt.Sprintf("there is no app %q in the apps folder, and --all needs it", name)))
			}
		}
		if err := each(report); err != nil {
			return err
		}
	}
	return nil
}

// check checks the infraspec at path and the files beside it. It returns the infraspec of the chosen environment. An
// app without environments is the same in each.
func (s Settings) check(path string) (*infraspec.Spec, Report, error) {
	spec, found := infraspec.Inspect(path)
	report := Report{App: spec.App, Path: path, Findings: found}
	if s.Environment != "" && len(spec.Environments) > 0 {
		return s.checkEnvironment(spec, report)
	}
	without := append(s.beside(spec, found), twins(spec)...)
	report.add(without...)
	for _, one := range spec.InEnvironments() {
		report.add(infraspec.OnlyIn(one.Environment, s.beside(one, found), without)...)
	}
	return spec, report, nil
}

// checkEnvironment reduces the findings about an infraspec to the ones that matter in the chosen environment, and adds
// those about the files beside it. Because a mistake in another environment makes the file invalid for all, the report
// then has one finding that names that environment.
func (s Settings) checkEnvironment(spec *infraspec.Spec, report Report) (*infraspec.Spec, Report, error) {
	chosen, _ := infraspec.SplitEnvironment(s.Environment)
	laid, err := spec.Sample(s.Environment)
	found := report.Findings
	if report.Findings = nil; err != nil {
		return spec, report, err
	}
	elsewhere := map[string]bool{}
	for _, f := range found {
		switch {
		case f.Environment == chosen, f.Environment == "" && (f.Severity == infraspec.Error || laid.Sees(f)):
			report.add(f)
		case f.Environment != "" && f.Severity == infraspec.Error && !elsewhere[f.Environment]:
			elsewhere[f.Environment] = true
			report.add(spec.Finding("environments."+f.Environment, infraspec.Error, f.Rule, fmt.Sprintf(
				"environment %s has a mistake, so the file is invalid; see norn validate --env %[1]s", f.Environment)))
		}
	}
	report.add(append(s.beside(laid, report.Findings), twins(spec)...)...)
	return laid, report, nil
}

// twins reports other infraspecs in the folder that set the same app: norn would change the same objects for both.
func twins(spec *infraspec.Spec) []infraspec.Finding {
	var found []infraspec.Finding
	for _, other := range infraspecsBeside(spec) {
		if spec.App != "" && other.App == spec.App {
			found = append(found, spec.Finding("app", infraspec.Warning, infraspec.RuleHostTaken, fmt.Sprintf(
				"%s also sets app: %s, so norn changes the same objects for both; change one of them, or use environments",
				filepath.Base(other.Path()), spec.App)))
		}
	}
	return found
}

// beside checks what an infraspec refers to. found are the findings about the infraspec itself.
func (s Settings) beside(spec *infraspec.Spec, found []infraspec.Finding) []infraspec.Finding {
	all := referencedFiles(spec)
	if !infraspec.HasErrors(found) { // the objects of a spec with errors cannot be made
		all = append(all, user(spec)...)
	}
	all = append(all, spec.HostPaths(s.HostPaths)...)
	return append(all, objects.CheckOverlay(spec, s.HostPaths)...)
}

func (r *Report) add(more ...infraspec.Finding) {
	r.Findings = infraspec.Sort(append(r.Findings, more...))
}

// claims maps a name, a Service or a host to the first app that uses it.
type claims map[string]string

func (c claims) take(spec *infraspec.Spec) []infraspec.Finding {
	var found []infraspec.Finding
	type key struct{ path, value string }
	keys := []key{{"app", spec.App}, {"hosts.internal", spec.Hosts.Internal}}
	for _, host := range spec.Hosts.External {
		keys = append(keys, key{"hosts.external", host})
	}
	for _, key := range keys {
		if first := c.first(key.path, key.value, spec); first != "" {
			found = append(found, spec.Finding(key.path, infraspec.Warning, infraspec.RuleHostTaken,
				fmt.Sprintf("%s is also used in %s; change one of them", key.path, first)))
		}
	}
	for _, w := range spec.Workloads()[1:] {
		if first := c.first("app", w.Workload(), spec); first != "" {
			found = append(found, spec.Finding("processes."+w.Process, infraspec.Warning, infraspec.RuleProcess, fmt.Sprintf(
				"the objects of process %s are named %s, like those in %s; rename one of them",
				w.Process, w.Workload(), first)))
		}
		if first := c.first("hosts.internal", w.Hosts.Internal, spec); first != "" {
			found = append(found, spec.Finding(w.PathOf("hosts.internal"), infraspec.Warning, infraspec.RuleHostTaken,
				fmt.Sprintf("hosts.internal is also used in %s; change one of them", first)))
		}
	}
	return found
}

// first returns the path of another infraspec that uses the value of a key. If there is none, it returns "", and the
// value is taken by spec.
func (c claims) first(key, value string, spec *infraspec.Spec) string {
	claim := key + " " + value
	first, taken := c[claim]
	switch {
	case value == "", taken && first == spec.Path():
		return ""
	case !taken:
		c[claim] = spec.Path()
	}
	return first
}
