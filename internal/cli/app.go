package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"norn/internal/command"
	"norn/internal/config"
	"norn/internal/redact"
	"norn/internal/ui"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
)

// app is what all commands share. What costs something is a function, called by the commands that need it.
type app struct {
	streams  ui.Streams       // redacted
	redactor *redact.Redactor // is told every value that is decrypted
	kube     *genericclioptions.ConfigFlags
	ui.Options
	ended   bool           // the event that tells how it ended has been written
	called  string         // the name that norn is called by
	mention *regexp.Regexp // finds its commands in a text, where that name is another than its own
}

// requiresError is an *k8s.UnavailableError in a command that cannot do without a cluster.
type requiresError struct {
	what  string
	cause *connect.UnavailableError
}

func (e *requiresError) Error() string  { return e.what + " requires Kubernetes" }
func (e *requiresError) Reason() string { return e.cause.Reason }
func (e *requiresError) Hint() string   { return e.cause.Hint() }
func (e *requiresError) Unwrap() error  { return e.cause }

// caller is norn, as it shows itself to clusters and credential plugins.
func caller() connect.Caller {
	return connect.Caller{UserAgent: "norn/" + version(), Keys: command.KeyVariables()}
}

// client connects to the cluster; what is the act that its absence forbids.
func (a *app) client(ctx context.Context, what string) (*k8s.Client, error) {
	c, err := connect.Dial(ctx, a.kube, caller())
	var unavailable *connect.UnavailableError
	if errors.As(err, &unavailable) {
		return nil, &requiresError{what, unavailable}
	}
	return c, err
}

func (a *app) config(cmd *cobra.Command) (*config.Config, error) { return config.Load(cmd.Flags()) }

// spec loads the infraspec that arg names, and prints its warnings.
func (a *app) spec(arg string, conf *config.Config) (*infraspec.Spec, error) {
	here, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("find the current folder: %w", err)
	}
	spec, warnings, err := infraspec.Find(arg, here, conf.AppsDir)
	for _, w := range warnings {
		if w.Severity == infraspec.Warning {
			ui.PrintFinding(a.streams.Err, shownFinding(w))
		}
	}
	return spec, err
}

// name is the app's name for commands that need nothing else of the infraspec.
func (a *app) name(arg string, conf *config.Config) (string, error) {
	name, _, err := a.nameOf(arg, conf)
	return name, err
}

// nameOf is the app's name, and whether its infraspec is on this machine. A name without a file stands for itself: the cluster
// may know the app.
func (a *app) nameOf(arg string, conf *config.Config) (name string, onDisk bool, err error) {
	here, err := os.Getwd()
	if err != nil {
		return "", false, fmt.Errorf("find the current folder: %w", err)
	}
	path, err := infraspec.Locate(arg, here, conf.AppsDir)
	var missing *infraspec.NotFoundError
	if errors.As(err, &missing) && missing.Name != "" {
		return missing.Name, false, nil
	}
	if err != nil {
		return "", false, err
	}
	spec, found := infraspec.Inspect(path) // mistakes elsewhere in it do not matter here
	switch {
	case !infraspec.ValidName(spec.App):
		return "", true, infraspec.Errors(found)
	case infraspec.IsName(arg) && spec.App != arg:
		return "", true, &infraspec.NameError{Asked: arg, Found: spec.App, Path: path}
	}
	return spec.App, true, nil
}

// session is what a command that drives the cluster starts from.
type session struct {
	conf   *config.Config
	client *k8s.Client
}

// connect comes before everything else in such a command: without a cluster that is the first thing said.
func (a *app) connect(ctx context.Context, cmd *cobra.Command, what string) (*session, error) {
	conf, err := a.config(cmd)
	if err != nil {
		return nil, err
	}
	client, err := a.client(ctx, what)
	if err != nil {
		return nil, err
	}
	return &session{conf, client}, nil
}

// title heads a run: what is done, where.
func (s *session) title(what, app string) string {
	return fmt.Sprintf("%s %s in namespace %s of %s", what, app, s.conf.Namespace, s.client.Context)
}

// forgeSettings are those of the objects; image is what a new app starts with, or "".
func forgeSettings(conf *config.Config, image string) objects.Settings {
	return objects.Settings{Namespace: conf.Namespace, PostgresHost: conf.PGHost, PostgresUser: conf.PGUser, Image: image}
}

// argument is the i-th argument, or "".
func argument(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}
