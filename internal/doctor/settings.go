package doctor

import (
	"context"
	"errors"
	"fmt"

	"norn/internal/config"
	"norn/pkg/deploy/image"
	"norn/pkg/infraspec"
)

// settings says which settings file was read, and where each value that is not the default comes from.
func (e *examination) settings(context.Context) Verdict {
	if e.ConfigErr != nil {
		v := problem("docs/configuration.md has all settings", "%s", e.ConfigErr)
		v.More = origins(e.Config)
		return v
	}
	v := ok("there is no settings file")
	if e.Config.File != "" {
		v = ok("%s is read", e.Config.File)
	}
	v.More = origins(e.Config)
	if len(v.More) == 0 {
		v.Detail += ", and all settings have their defaults"
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

// findSpec loads the app's infraspec. Where none was named and none is here or above, that is no error.
func (e *examination) findSpec() {
	spec, found, err := infraspec.Find(e.App, e.Here, e.Config.AppsDir)
	var missing *infraspec.NotFoundError
	switch {
	case err == nil:
		e.spec = spec
		for _, f := range found {
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
		return warning("norn validate shows each with its line", "%s (%s) has warnings: %s", e.spec.App, e.spec.Role, e.spec.Path())
	case e.specErr == nil:
		return ok("%s (%s) is valid: %s", e.spec.App, e.spec.Role, e.spec.Path())
	case errors.As(e.specErr, &errs):
		v := problem("norn validate shows each with its line; checks of the app were left out", "%s is not valid", errs[0].File)
		for _, f := range errs {
			if f.Severity == infraspec.Error {
				v.More = append(v.More, fmt.Sprintf("line %d: %s", f.Line, f.Message))
			}
		}
		return v
	}
	return problem(hintOf(e.specErr), "%s", e.specErr)
}

// built reports whether norn deploy would build the app here.
func (e *examination) built() bool {
	return e.spec != nil && e.spec.Deploy && (e.spec.Repo.URL != "" || e.hasDockerfile())
}
