package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"norn/pkg/infraspec"
)

// Place is a namespace in which an overview of an environment reads, and the apps on disk that belong there.
type Place struct {
	Namespace string
	Key       string // the infraspec's key that sets it, or ""
	Apps      []Local
}

// Places returns the namespaces of an environment, by name, and the apps without a place: those with other
// environments, and those whose infraspec is not valid. An app without any environments is in the namespace that norn
// uses without one.
func Places(locals []Local, environment, namespace string) (places []Place, without []App) {
	for _, l := range locals {
		in, key, why := namespace, "", ""
		switch {
		case l.Spec == nil:
			why = l.Problem
		case len(l.Spec.Environments) == 0: // stays without one
		default:
			chosen, err := l.Spec.Chosen(environment)
			if err != nil {
				why = fmt.Sprintf("has no environment %s; it has %s", environment,
					strings.Join(l.Spec.EnvironmentNames(), ", "))
				break
			}
			if l = l.In(environment); chosen.Namespace != "" {
				in, key = chosen.Namespace, infraspec.NamespaceKey(environment)
			}
		}
		if why != "" {
			without = append(without, elsewhere(l, why))
			continue
		}
		i := slices.IndexFunc(places, func(p Place) bool { return p.Namespace == in })
		if i < 0 {
			i, places = len(places), append(places, Place{Namespace: in})
		}
		places[i].Key = cmp.Or(places[i].Key, key)
		places[i].Apps = append(places[i].Apps, l)
	}
	slices.SortFunc(places, func(a, b Place) int { return strings.Compare(a.Namespace, b.Namespace) })
	return places, without
}

// elsewhere describes an app that is not in the environment, and says why.
func elsewhere(l Local, why string) App {
	app := App{Name: l.Name, Path: l.Path, Problem: why, Workload: Workload{State: Invalid}}
	if l.Spec != nil {
		app.Role, app.State = string(l.Spec.Role), Unknown
	}
	return app
}

// In returns the apps of an overview of a place that belong to an environment, or to none.
func (p Place) In(environment string, overview []App) []App {
	overview = slices.DeleteFunc(overview, func(app App) bool {
		return app.Path == "" && app.Environment != "" && app.Environment != environment
	})
	for i := range overview {
		app := &overview[i]
		app.Namespace = p.Namespace
		local := slices.IndexFunc(p.Apps, func(l Local) bool { return l.Name == app.Name && l.Path == app.Path })
		if local >= 0 && len(p.Apps[local].Spec.Environments) == 0 {
			app.Warnings = append(app.Warnings, "its infraspec has no environments, so norn shows it as without --env")
		}
	}
	return overview
}

// Sorted returns the apps by name.
func Sorted(apps []App) []App {
	slices.SortFunc(apps, func(a, b App) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Namespace, b.Namespace))
	})
	return apps
}
