package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"norn/internal/config"
	"norn/internal/ui"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
	"norn/pkg/pipeline"
)

// Access is what a command does with an app.
type Access int

// The kinds of access. If the infraspec has environments, only a command that Reads needs none.
const (
	Reads    Access = iota // shows what is in the cluster
	Compares               // uses the infraspec of the environment, and changes nothing
	Writes
)

// Purpose is what a command connects for.
type Purpose struct {
	Action string // names what is impossible without a cluster
	App    string // the argument that names the app, or ""
	Access Access
}

// environment is the chosen environment of an app.
type environment struct {
	infraspec.Environment
	name, app string
	unknown   bool // its infraspec is not on this machine, so it may be protected
}

// Choose reads the settings, and sets those of the environment that the user has chosen for the app. It returns an
// error if the app has environments and p needs one, or if there is no environment of that name.
func (a *App) Choose(cmd *cobra.Command, p Purpose) (*config.Config, error) {
	conf, err := a.Config(cmd)
	if err != nil {
		return nil, err
	}
	return conf, a.choose(conf, p)
}

// ChooseFor is Choose for a command that has read its settings, and that only reads.
func (a *App) ChooseFor(conf *config.Config, app string) error {
	return a.choose(conf, Purpose{App: app})
}

// Dial connects to the cluster of the chosen environment.
func (a *App) Dial(ctx context.Context) (*k8s.Client, error) {
	client, err := connect.Dial(ctx, a.Kube, a.Caller())
	if err != nil {
		return nil, err
	}
	return client, a.environment.checkCluster(ctx, client)
}

// Elsewhere connects to the cluster of an environment of spec that is not the chosen one, for a command that only reads
// there. kubeContext is the kubeconfig context, or "" for that of the command.
func (a *App) Elsewhere(cmd *cobra.Command, spec *infraspec.Spec, name, kubeContext string) (*Session, error) {
	place, err := spec.Chosen(name)
	if err != nil {
		return nil, err
	}
	conf, err := a.Config(cmd)
	if err != nil {
		return nil, err
	}
	conf.Namespace = cmp.Or(place.Namespace, conf.Namespace)
	flags := a.Kube
	if kubeContext != "" {
		flags = genericclioptions.NewConfigFlags(false)
		flags.KubeConfig, flags.Timeout, flags.Context = a.Kube.KubeConfig, a.Kube.Timeout, &kubeContext
	}
	client, err := connect.Dial(cmd.Context(), flags, a.Caller())
	if unavailable, ok := errors.AsType[*connect.UnavailableError](err); ok {
		return nil, &NeedsKubernetesError{cmd.Name(), unavailable}
	}
	if err != nil {
		return nil, err
	}
	there := environment{Environment: place, name: name, app: spec.App}
	err = there.checkCluster(cmd.Context(), client)
	if other, ok := errors.AsType[*ClusterError](err); ok {
		other.flag = "--from-context"
	}
	return &Session{conf, client, name}, err
}

// Fingerprint connects to the cluster, and returns the context and the cluster's fingerprint, for the environment to
// pin.
func (a *App) Fingerprint(ctx context.Context, environment string) (name, found string, err error) {
	client, err := connect.Dial(ctx, a.Kube, a.Caller())
	if unavailable, ok := errors.AsType[*connect.UnavailableError](err); ok {
		return "", "", &NeedsKubernetesError{"env pin", unavailable}
	}
	if err != nil {
		return "", "", err
	}
	found, err = fingerprint(ctx, client, environment)
	return client.Context, found, err
}

// fingerprint returns the cluster's fingerprint. If the user is not allowed to read it, the error is a
// *FingerprintError.
func fingerprint(ctx context.Context, client *k8s.Client, environment string) (string, error) {
	found, err := client.Fingerprint(ctx)
	if denied, ok := errors.AsType[*k8s.DeniedError](err); ok {
		return "", &FingerprintError{Environment: environment, Context: client.Context, Err: denied}
	}
	return found, err
}

func (a *App) choose(conf *config.Config, p Purpose) error {
	here, err := Here()
	if err != nil {
		return err
	}
	path, err := infraspec.Locate(p.App, here, conf.AppsDir)
	missing, isMissing := errors.AsType[*infraspec.NotFoundError](err)
	switch {
	case isMissing && missing.Name != "" && conf.Env != "": // its objects may still be in the cluster
		a.environment = &environment{name: conf.Env, app: missing.Name, unknown: true}
		return nil
	case err != nil && conf.Env != "":
		return err
	case err != nil:
		return nil //nolint:nilerr // without an infraspec, there are no environments
	}
	spec, found := infraspec.Inspect(path)
	switch {
	case infraspec.HasErrors(found) && p.Access != Reads && spec.Has("environments"):
		return infraspec.Errors(found) // it is not certain where the app runs
	case conf.Env == "":
		return a.withoutEnvironment(conf, spec, p)
	}
	chosen, err := spec.Chosen(conf.Env)
	if missing, ok := errors.AsType[*infraspec.EnvironmentError](err); ok {
		missing.Path, missing.From = ui.DisplayPath(path), conf.From("env")
	}
	if err != nil {
		return err
	}
	laid, err := spec.In(conf.Env)
	if err != nil {
		return err
	}
	a.environment = &environment{Environment: chosen, name: conf.Env, app: laid.App}
	return a.place(conf)
}

// withoutEnvironment returns an error if the app has environments, and p needs one.
func (a *App) withoutEnvironment(conf *config.Config, spec *infraspec.Spec, p Purpose) error {
	names := spec.EnvironmentNames()
	if len(names) == 0 {
		return nil
	}
	if p.Access != Reads {
		return noneChosen(spec)
	}
	if conf.From("namespace") == "" {
		a.Warnf("%s has environments (%s), and none is chosen with --env; norn looks in namespace %s", spec.App,
			strings.Join(names, ", "), conf.Namespace)
	}
	return nil
}

// noneChosen returns the error for an app with environments if a command needs one.
func noneChosen(spec *infraspec.Spec) error {
	return withHint(Usagef("%s has environments, and none is chosen", spec.App),
		"choose one with --env NAME or NORN_ENV: "+strings.Join(spec.EnvironmentNames(), ", "))
}

// place sets the namespace of the chosen environment.
func (a *App) place(conf *config.Config) error {
	e, from := a.environment, conf.From("namespace")
	switch {
	case e.Namespace == "" || e.Namespace == conf.Namespace:
		return nil
	case from == "--namespace":
		return withHint(Usagef("environment %s of %s is in namespace %s, not %s", e.name, e.app, e.Namespace, conf.Namespace),
			"omit --namespace")
	case from != "":
		a.Warnf("environment %s is in namespace %s; norn ignores %s from %s", e.name, e.Namespace, conf.Namespace, from)
	}
	conf.Namespace = e.Namespace
	return nil
}

// enter checks that the client is connected to the cluster of the chosen environment, before anything else is read or
// written. It prints where the command works, unless the command has steps, and asks before it changes a protected
// environment.
func (a *App) enter(ctx context.Context, cmd *cobra.Command, s *Session, p Purpose) error {
	if err := a.environment.checkCluster(ctx, s.Client); err != nil {
		return err
	}
	a.sayContextNamespace(s.Conf, s.Client)
	e := a.environment
	if e == nil {
		return nil
	}
	title := s.Title(cmd.Name(), e.app)
	asks := p.Access == Writes && (e.Protected || e.unknown) && !flagIsSet(cmd, "yes")
	prompt, asking := ui.NewPrompt(a.Streams)
	switch {
	case asks && !asking:
		return a.unconfirmed(p.Action)
	case asks, !a.notices.attached() && !a.Quiet && !a.JSON:
		ui.PrintTitle(a.Streams.Err, title)
	}
	if !asks {
		return nil
	}
	if !a.JSON {
		a.notices.titled(title)
	}
	return a.confirmEnvironment(ctx, prompt)
}

// checkCluster returns an error unless client is connected to the cluster of the environment. Without an environment,
// every cluster is right.
func (e *environment) checkCluster(ctx context.Context, client *k8s.Client) error {
	if e == nil || e.Cluster == "" {
		return nil
	}
	found, err := fingerprint(ctx, client, e.name)
	if err != nil {
		return err
	}
	if found != e.Cluster {
		return &ClusterError{Environment: e.name, Wanted: e.Cluster, Context: client.Context, Found: found}
	}
	return nil
}

// namespaceKey returns the infraspec's key that sets a namespace, or "" if the environment does not set it.
func (e *environment) namespaceKey(namespace string) string {
	if e == nil || e.Namespace == "" || e.Namespace != namespace {
		return ""
	}
	return infraspec.NamespaceKey(e.name)
}

// guarded says why norn asks before it changes the environment.
func (e *environment) guarded() string {
	if e.unknown {
		return "may be protected, and its infraspec is not here"
	}
	return "is protected"
}

// unconfirmed returns the error for an action in a protected environment that nobody can confirm.
func (a *App) unconfirmed(action string) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("%s in environment %s needs confirmation (it %s), and there is no terminal to ask on",
			action, a.environment.name, a.environment.guarded()),
		Advice: "pass --yes to skip the confirmation",
	}
}

// confirmEnvironment asks for the name of a protected environment.
func (a *App) confirmEnvironment(ctx context.Context, prompt *ui.Prompt) error {
	name := a.environment.name
	answer, err := prompt.Ask(ctx,
		fmt.Sprintf("environment %s %s; enter its name to continue: ", name, a.environment.guarded()))
	return confirmed(err, answer == name)
}

// sayContextNamespace prints once that the kubeconfig's context has another namespace than the one that norn uses by
// default or for the environment.
func (a *App) sayContextNamespace(conf *config.Config, client *k8s.Client) {
	if conf.From("namespace") != "" || a.Quiet {
		return
	}
	if own := client.ContextNamespace; own != "" && own != conf.Namespace {
		a.Warnf("norn uses namespace %s, not %s from context %s", conf.Namespace, own, client.Context)
	}
}

// EnvironmentName returns the name of the chosen environment, or "".
func (a *App) EnvironmentName() string {
	if a.environment == nil {
		return ""
	}
	return a.environment.name
}

// flagIsSet reports whether cmd has a flag of type bool, and it is true.
func flagIsSet(cmd *cobra.Command, name string) bool {
	f := cmd.Flags().Lookup(name)
	return f != nil && f.Value.String() == "true"
}

// BindConfirmed adds --yes to a command that asks only for protected environments.
func BindConfirmed(cmd *cobra.Command) {
	cmd.Flags().BoolP("yes", "y", false, "skip the confirmation for a protected environment")
}

// ClusterError reports that the cluster is not the one of the environment.
type ClusterError struct {
	Environment, Wanted string
	Context, Found      string

	flag string // chooses the context
}

// Error names both clusters.
func (e *ClusterError) Error() string {
	return fmt.Sprintf("context %s is not the cluster of environment %s: its fingerprint is %s, not %s",
		e.Context, e.Environment, e.Found, e.Wanted)
}

// Hint returns advice.
func (e *ClusterError) Hint() string {
	return fmt.Sprintf("choose the context of environment %s with %s", e.Environment, cmp.Or(e.flag, "--context"))
}

// FingerprintError reports that the user is not allowed to read what identifies the cluster of an environment.
type FingerprintError struct {
	Environment, Context string
	Err                  error
}

// Error returns why.
func (e *FingerprintError) Error() string {
	return fmt.Sprintf("cannot check that context %s is the cluster of environment %s: %v",
		e.Context, e.Environment, e.Err)
}

// Hint returns the permission that the check needs.
func (e *FingerprintError) Hint() string {
	return "grant get on namespace kube-system (docs/environments.md), or remove cluster from the environment"
}
