// Package preview implements norn preview.
package preview

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/pkg/forge"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

const long = `An environment with ttl is a pattern for previews: --env preview/pr-12 deploys a copy of the app that
expires. See docs/environments.md.`

// New returns norn preview.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("preview", "List previews, and delete the expired ones", long)
	cmd.Example = "  norn deploy --env preview/pr-12\n  norn preview list\n  norn preview prune --yes"
	cmd.AddCommand(newList(a), newPrune(a))
	return cmd
}

// search is where a command looks for previews.
type search struct {
	client *k8s.Client
	conf   *config.Config
	app    string          // the app whose previews are meant, or "" for all
	spec   *infraspec.Spec // its infraspec, or nil if that is not on this machine
	now    time.Time       // by the API server's clock
}

// begin connects to the cluster. arg names the app. Without it, the app is that of the infraspec here; if there is
// none, the command is about the previews of all apps.
func begin(a *cli.App, cmd *cobra.Command, action, arg string) (*search, error) {
	conf, err := a.Config(cmd)
	if err != nil {
		return nil, err
	}
	conf.Env = "" // such as that of the CI job
	s := &search{conf: conf}
	s.app, s.spec, err = a.FindName(arg, conf)
	if _, missing := errors.AsType[*infraspec.NotFoundError](err); missing && arg == "" {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	if s.client, err = a.ConnectToPreviews(cmd.Context(), conf, action, s.spec); err != nil {
		return nil, err
	}
	s.now, err = s.client.Now(cmd.Context())
	return s, err
}

// what names the previews that the command is about.
func (s *search) what() string {
	if s.app == "" {
		return "all apps"
	}
	return s.app
}

// previews returns the previews that the command is about. If the namespaces are not chosen, they are those of the
// infraspec's environments, or else all that the user may list.
func (s *search) previews(ctx context.Context) ([]forge.Preview, error) {
	spaces, err := s.namespaces()
	if err != nil {
		return nil, err
	}
	var all []forge.Preview
	for _, ns := range spaces {
		found, err := forge.Previews(ctx, s.client, ns)
		if denied, ok := errors.AsType[*k8s.DeniedError](err); ok && ns == "" {
			found, err = s.each(ctx, denied)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return slices.DeleteFunc(all, func(p forge.Preview) bool { return !s.includes(p) }), nil
}

// namespaces returns the namespaces to search. "" stands for all.
func (s *search) namespaces() ([]string, error) {
	switch {
	case s.conf.From("namespace") == "--namespace":
		return []string{s.conf.Namespace}, nil
	case s.spec == nil:
		return []string{""}, nil
	}
	var fixed []string
	for _, name := range s.spec.PreviewEnvironments() {
		e := s.spec.Environments[name]
		if e.NamespacesVary() {
			return []string{""}, nil
		}
		fixed = append(fixed, s.place(e))
	}
	if len(fixed) == 0 {
		return nil, cli.Usagef("%s has no environment with ttl, so it has no previews", s.app)
	}
	slices.Sort(fixed)
	return slices.Compact(fixed), nil
}

// place returns the namespace of an environment.
func (s *search) place(e infraspec.Environment) string {
	if e.Namespace == "" {
		return s.conf.Namespace
	}
	return e.Namespace
}

// each returns the previews in all namespaces in which there may be some, for a user who cannot list the objects of all
// namespaces at once. It skips those whose objects the user cannot list, and returns denied if none is left.
func (s *search) each(ctx context.Context, denied error) ([]forge.Preview, error) {
	spaces, err := s.client.Namespaces(ctx)
	if err != nil {
		spaces = []string{s.conf.Namespace}
	}
	var all []forge.Preview
	searched := false
	for _, ns := range spaces {
		if s.spec != nil && !s.mayHold(ns) {
			continue
		}
		found, err := forge.Previews(ctx, s.client, ns)
		if _, no := errors.AsType[*k8s.DeniedError](err); no {
			continue
		}
		if err != nil {
			return nil, err
		}
		searched, all = true, append(all, found...)
	}
	if !searched {
		return nil, denied
	}
	return all, nil
}

// mayHold reports whether an environment of the infraspec has previews in a namespace.
func (s *search) mayHold(ns string) bool {
	return slices.ContainsFunc(s.spec.PreviewEnvironments(), func(name string) bool {
		parts := strings.Split(s.place(s.spec.Environments[name]), infraspec.Placeholder)
		for i, text := range parts {
			parts[i] = regexp.QuoteMeta(text)
		}
		return regexp.MustCompile("^" + strings.Join(parts, ".+") + "$").MatchString(ns)
	})
}

// includes reports whether the command is about a preview: one of the app, in the namespace where the infraspec places
// it or that the user has chosen.
func (s *search) includes(p forge.Preview) bool {
	switch {
	case s.app != "" && p.Base() != s.app:
		return false
	case s.spec == nil || s.conf.From("namespace") == "--namespace":
		return true
	}
	e, err := s.spec.Chosen(p.Environment)
	return err == nil && s.place(e) == p.Namespace
}
