// Package cli holds the code that norn's commands share: settings, connections, flags, output and exit codes.
//
// Each command is a package below this one: norn deploy is internal/cli/deploy. Package root combines them.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"norn/internal/command"
	"norn/internal/config"
	"norn/internal/redact"
	"norn/internal/ui"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/source"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
)

// App is one call of norn. Its methods implement what several commands need. None runs unless a command calls it.
type App struct {
	Streams  ui.Streams       // redacted
	Redactor *redact.Redactor // knows every decrypted value
	Kube     *genericclioptions.ConfigFlags
	ui.Options

	command   string      // the running command, such as "snapshots restore"
	client    *k8s.Client // its connection, or nil
	namespace string
	// environment is the one that the user has chosen, or nil.
	environment *environment
	notices     notices
	// warnedNamespace is whether WarnMissingNamespace has printed its warning.
	warnedNamespace bool
	ended           bool           // Steps has reported the end
	called          string         // ownName or pluginName
	commands        *regexp.Regexp // matches norn's commands in a text; nil unless norn runs as kubectl's plugin
}

// NewApp returns the App of a program that was started as path. The App redacts secret values and norn's own keys in
// everything that it prints. It does not redact the credentials of clouds: those of a test service are often common
// words, such as AWS_SECRET_ACCESS_KEY=secret, which manifests and logs contain too.
func NewApp(path string, s ui.Streams) *App {
	redactor := redact.New()
	for _, name := range command.KeyVariables() {
		redactor.Hide(name, os.Getenv(name))
	}
	return &App{Streams: ui.Redacted(s, redactor), Redactor: redactor, called: calledBy(path)}
}

// Caller returns how norn presents itself to clusters and credential plugins.
func (a *App) Caller() connect.Caller {
	return connect.Caller{
		UserAgent: "norn/" + Version(), Keys: command.KeyVariables(),
		Interactive: ui.IsTerminal(a.Streams.In) || ui.IsTerminal(a.Streams.Err), Wait: a.sayWaiting,
		Warn: a.warnNow,
	}
}

// Config returns norn's settings, with the flags of cmd.
func (a *App) Config(cmd *cobra.Command) (*config.Config, error) { return config.Load(cmd.Flags()) }

// Spec loads the infraspec that arg names, and prints its warnings.
func (a *App) Spec(arg string, conf *config.Config) (*infraspec.Spec, error) {
	here, err := Here()
	if err != nil {
		return nil, err
	}
	spec, warnings, err := infraspec.Find(arg, here, conf.AppsDir)
	if err == nil {
		spec, err = spec.In(conf.Env)
	}
	if err == nil {
		warnings = slices.DeleteFunc(warnings, func(f infraspec.Finding) bool {
			chosen, _ := infraspec.SplitEnvironment(conf.Env)
			return f.Environment != "" && f.Environment != chosen
		})
		overlay := objects.CheckOverlay(spec, conf.HostPaths)
		warnings = infraspec.Sort(slices.Concat(warnings, spec.HostPaths(conf.HostPaths), overlay))
		if infraspec.HasErrors(warnings) {
			return nil, infraspec.Errors(warnings)
		}
	}
	for _, w := range warnings {
		if w.Severity == infraspec.Warning {
			ui.PrintFinding(a.Streams.Err, ShownFinding(w))
		}
	}
	return spec, err
}

// Name returns the name of the app that arg means, for commands that need nothing else from the infraspec.
func (a *App) Name(arg string, conf *config.Config) (string, error) {
	name, _, err := a.FindName(arg, conf)
	return name, err
}

// FindName is like Name. It also returns the app's infraspec, which may have mistakes, or nil if it is not on this
// machine. It returns a name without an infraspec unchanged: the app may exist in the cluster.
func (a *App) FindName(arg string, conf *config.Config) (name string, spec *infraspec.Spec, err error) {
	here, err := Here()
	if err != nil {
		return "", nil, err
	}
	path, err := infraspec.Locate(arg, here, conf.AppsDir)
	var missing *infraspec.NotFoundError
	if errors.As(err, &missing) && missing.Name != "" {
		return missing.Name, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	spec, findings := infraspec.Inspect(path) // other mistakes in the file do not matter here
	switch {
	case !infraspec.ValidName(spec.App):
		return "", nil, infraspec.Errors(findings)
	case infraspec.IsName(arg) && spec.App != arg:
		return "", nil, &infraspec.NameError{Asked: arg, Found: spec.App, Path: path}
	}
	laid, err := spec.In(conf.Env)
	switch {
	case err == nil:
		spec = laid
	case !is[*infraspec.EnvironmentError](err): // that is an error earlier; without its name, a preview is another app
		return "", nil, err
	}
	return spec.App, spec, nil
}

// Session holds the settings and the connection of a command that needs the cluster.
type Session struct {
	Conf        *config.Config
	Client      *k8s.Client
	Environment string // the chosen one, or ""
}

// Connect connects to the cluster of the chosen environment. A command calls Connect first, so that norn reports a
// missing cluster before anything else, except for an invalid infraspec and a missing choice of an environment.
func (a *App) Connect(ctx context.Context, cmd *cobra.Command, p Purpose) (*Session, error) {
	if p.Access == Writes && flagIsSet(cmd, "dry-run") {
		p.Access = Compares
	}
	conf, err := a.Choose(cmd, p)
	if err != nil {
		return nil, err
	}
	client, err := connect.Dial(ctx, a.Kube, a.Caller())
	var unavailable *connect.UnavailableError
	if errors.As(err, &unavailable) {
		if invalid := a.infraspecError(cmd, conf); invalid != nil {
			return nil, invalid
		}
		return nil, &NeedsKubernetesError{p.Action, unavailable}
	}
	if err != nil {
		return nil, err
	}
	a.client, a.namespace = client, conf.Namespace
	s := &Session{conf, client, a.EnvironmentName()}
	return s, a.enter(ctx, cmd, s, p)
}

// infraspecError returns an error if the command's infraspec is invalid, or if its argument names no infraspec. The
// user can fix both without a cluster.
func (a *App) infraspecError(cmd *cobra.Command, conf *config.Config) error {
	switch cmd.Name() {
	case "forge", "deploy", "diff", "invoke":
	default: // other commands also work for an app that is only in the cluster
		return nil
	}
	here, err := Here()
	if err != nil {
		return err
	}
	arg := Argument(cmd.Flags().Args(), 0)
	_, _, err = infraspec.Find(arg, here, conf.AppsDir)
	if is[*infraspec.NotFoundError](err) && arg == "" {
		return nil
	}
	return err
}

// Title returns the first line of a run: the action and its target.
func (s *Session) Title(action, app string) string {
	if s.Environment != "" {
		return fmt.Sprintf("%s %s in environment %s: namespace %s of %s", action, app, s.Environment, s.Conf.Namespace,
			s.Client.Context)
	}
	return fmt.Sprintf("%s %s in namespace %s of %s", action, app, s.Conf.Namespace, s.Client.Context)
}

// SameFlags returns flags with which another command works in the same place: the environment, and where the user has
// chosen them, the namespace, the context and the kubeconfig. They begin with a space unless there are none.
func (s *Session) SameFlags(cmd *cobra.Command) string {
	var words []string
	if s.Environment != "" {
		words = append(words, "--env", s.Environment)
	}
	for _, name := range []string{"namespace", "context", "kubeconfig"} {
		value, chosen := "", false
		if f := cmd.Flags().Lookup(name); f != nil {
			value, chosen = f.Value.String(), f.Changed
		}
		if name == "namespace" && s.Environment == "" { // NORN_NAMESPACE and the configuration choose it too
			value, chosen = s.Conf.Namespace, s.Conf.From("namespace") != ""
		}
		if chosen {
			words = append(words, "--"+name, value)
		}
	}
	if len(words) == 0 {
		return ""
	}
	for i := range words {
		words[i] = source.Quote(words[i])
	}
	return " " + strings.Join(words, " ")
}

// WarnLocalDatabase warns about a generated DATABASE_URL whose host is the Pod itself.
func (a *App) WarnLocalDatabase(spec *infraspec.Spec, conf *config.Config) {
	_, inEnv := spec.Env[infraspec.DatabaseURL]
	own := inEnv || slices.Contains(spec.SecretVariables(), infraspec.DatabaseURL)
	if pg := spec.Services.Postgres; pg == nil || pg.Database == "" || own {
		return
	}
	if slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, conf.PGHost) {
		a.Warnf("the generated DATABASE_URL points to %s, which is the Pod itself; set NORN_PG_HOST, "+
			"or list DATABASE_URL under secrets", conf.PGHost)
	}
}

// DatabaseSettings returns how this machine reaches the databases.
func DatabaseSettings(conf *config.Config) database.Settings {
	return database.Settings{LocalHost: conf.PGLocal, Host: conf.PGHost, User: conf.PGUser}
}

// ReadFile reads a file, or standard input if path is "-". It fails when ctx ends.
func (a *App) ReadFile(ctx context.Context, path string) ([]byte, error) {
	return ui.Read(ctx, func() ([]byte, error) {
		if path == "-" {
			return io.ReadAll(a.Streams.In)
		}
		return os.ReadFile(path)
	})
}

// Here returns the current folder.
func Here() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the current folder: %w", err)
	}
	return here, nil
}

// Argument returns args[i], or "" if args is shorter.
func Argument(args []string, i int) string {
	if i < len(args) {
		return args[i]
	}
	return ""
}

// Group returns a command that only contains other commands.
func Group(name, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Long: long,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return UnknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
}
