package doctor

import (
	"context"
	"errors"
	"fmt"

	"norn/internal/config"
	"norn/pkg/deploy/image"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// settings reports the settings file, and the source of each value that is not the default.
func (e *examination) settings(context.Context) Verdict {
	if e.ConfigErr != nil {
		v := problem("see docs/configuration.md for all settings", "%s", e.ConfigErr)
		v.More = origins(e.Config)
		return v
	}
	v := ok("no settings file")
	if e.Config.File != "" {
		v = ok("read %s", e.Config.File)
	}
	v.More = origins(e.Config)
	if len(v.More) == 0 {
		v.Detail += "; all settings have their defaults"
	}
	return v
}

func origins(conf *config.Config) []string {
	var lines []string
	for _, s := range conf.Set {
		value := image.RedactRegistry(s.Value)
		if value != "" {
			value = " " + value
		}
		lines = append(lines, fmt.Sprintf("%s%s, from %s", s.Key, value, s.From))
	}
	return lines
}

// findSpec loads the app's infraspec. If the user named no app, a missing infraspec is not an error.
func (e *examination) findSpec() {
	spec, found, err := infraspec.Find(e.App, e.Here, e.Config.AppsDir)
	if err == nil {
		spec, err = spec.In(e.Config.Env)
	}
	var missing *infraspec.NotFoundError
	switch {
	case err == nil:
		e.spec = spec
		for _, f := range append(found, spec.HostPaths(e.Config.HostPaths)...) {
			if f.Severity == infraspec.Warning {
				e.specWarnings++
			}
		}
	case e.App == "" && errors.As(err, &missing):
	default:
		e.specErr = err
	}
}

func (e *examination) infraspec(context.Context) Verdict {
	var errs infraspec.Errors
	switch {
	case e.specErr == nil && e.specWarnings > 0:
		return warning("see each warning and its line with norn validate",
			"%s (%s) has warnings: %s", e.spec.App, e.spec.Role, e.spec.Path())
	case e.specErr == nil:
		return ok("%s (%s) can be read: %s", e.spec.App, e.spec.Role, e.spec.Path())
	case errors.As(e.specErr, &errs):
		v := problem("see each error with norn validate; doctor skipped the checks of the app",
			"%s is not valid", errs[0].File)
		for _, f := range errs {
			if f.Severity == infraspec.Error {
				v.More = append(v.More, fmt.Sprintf("line %d: %s", f.Line, f.Message))
			}
		}
		return v
	}
	return problem(pipeline.HintOf(e.specErr), "%s", e.specErr)
}

// built reports whether norn deploy would build the app here.
func (e *examination) built() bool {
	return e.spec != nil && e.spec.Deploy && (e.spec.Repo.URL != "" || e.hasDockerfile())
}
