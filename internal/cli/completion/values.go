package completion

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/internal/cli"
	"norn/internal/complete"
	"norn/pkg/k8s/connect"
)

// source finds values. complete.Within bounds its time.
type source func(context.Context) []complete.Value

// Bind sets the values that a shell offers for the arguments and flags of all commands below root. An argument or flag
// without a row in the tables takes free text. All values pass through safe.
func Bind(a *cli.App, root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp) // no files by default
	arguments, flags := argumentValues(a), flagValues(a)
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), root.CommandPath()+" ")
		if values, ok := arguments[path]; ok {
			cmd.ValidArgsFunction = values
		}
		if cmd.ValidArgsFunction != nil {
			cmd.ValidArgsFunction = safe(cmd.ValidArgsFunction)
		}
		bind := func(f *pflag.Flag) {
			values, ok := flags[path+" --"+f.Name]
			if !ok {
				values, ok = flags["--"+f.Name]
			}
			if ok {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, safe(values)) // fails if the flag already has one
			}
		}
		cmd.PersistentFlags().VisitAll(bind)
		cmd.LocalNonPersistentFlags().VisitAll(bind)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// safe returns values without the values that a shell must not evaluate.
func safe(values cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		lines, directive := values(cmd, args, begin)
		return complete.Safe(lines), directive
	}
}

// argumentValues returns the values of arguments, by command.
func argumentValues(a *cli.App) map[string]cobra.CompletionFunc {
	local := offer(a, func(l *lookup) []source { return l.onlyApp(l.disk) })
	anywhere := offer(a, func(l *lookup) []source { return l.onlyApp(l.disk, l.apps) })
	secretNames := func(onlyInFile bool) cobra.CompletionFunc {
		return offer(a, func(l *lookup) []source { return l.appAnd(l.secrets(onlyInFile)) })
	}
	values := map[string]cobra.CompletionFunc{
		"init": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		"validate": offer(a, func(l *lookup) []source { return l.path(l.others) }),
		"deploy": offer(a, func(l *lookup) []source {
			if len(l.args) == 1 {
				return []source{l.refs}
			}
			return l.onlyApp(l.disk)
		}),
		"run":               beforeDash(anywhere),
		"invoke":            offer(a, func(l *lookup) []source { return l.onlyApp(l.functions) }),
		"secrets exec":      beforeDash(local),
		"secrets set":       secretNames(false),
		"secrets unset":     secretNames(true),
		"secrets import":    cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault),
		"snapshots restore": offer(a, func(l *lookup) []source { return l.appAnd(l.snapshots) }),
		"env show":          offer(a, func(l *lookup) []source { return l.appAnd(l.environments) }),
		"env pin":           offer(a, func(l *lookup) []source { return l.appAnd(l.environments) }),
	}
	for _, name := range []string{
		"forge", "diff", "render", "promote", "env list", "preview list", "preview prune",
		"secrets list", "secrets edit", "secrets rotate", "secrets init", "snapshots list",
	} {
		values[name] = local
	}
	for _, name := range []string{"status", "doctor", "history", "logs", "restart", "rollback", "teardown"} {
		values[name] = anywhere
	}
	return values
}

// flagValues returns the values of flags: by name or, where commands differ, by command and name.
func flagValues(a *cli.App) map[string]cobra.CompletionFunc {
	words := func(words ...string) cobra.CompletionFunc {
		return func(_ *cobra.Command, _ []string, begin string) ([]string, cobra.ShellCompDirective) {
			matching := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !strings.HasPrefix(w, begin) })
			return matching, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		}
	}
	file := cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	one := func(of func(*lookup) source) cobra.CompletionFunc {
		return offer(a, func(l *lookup) []source { return []source{of(l)} })
	}
	return map[string]cobra.CompletionFunc{
		"--apps-dir":              cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs),
		"--kubeconfig":            file,
		"--certificate-authority": file,
		"--client-certificate":    file,
		"--client-key":            file,
		"--from-file":             file,
		"--body":                  file,
		"--context":               one(func(l *lookup) source { return l.names(complete.Contexts) }),
		"--cluster": one(func(l *lookup) source {
			return l.names(func(n connect.KubeconfigNames) []complete.Value { return complete.Words(n.Clusters...) })
		}),
		"--user": one(func(l *lookup) source {
			return l.names(func(n connect.KubeconfigNames) []complete.Value { return complete.Words(n.Users...) })
		}),
		"--namespace": one(func(l *lookup) source { return l.inCluster(complete.Namespaces) }),
		"--env":       offer(a, func(l *lookup) []source { return []source{l.environments, l.previews} }),
		"--to":        one(func(l *lookup) source { return l.revisions }),

		"promote --from":         one(func(l *lookup) source { return l.environments }),
		"promote --to":           one(func(l *lookup) source { return l.environments }),
		"promote --from-context": one(func(l *lookup) source { return l.names(complete.Contexts) }),

		"--revision":  one(func(l *lookup) source { return l.logRevisions }),
		"--pod":       one(func(l *lookup) source { return l.ofApp(complete.Pods) }),
		"--container": one(func(l *lookup) source { return l.ofApp(complete.Containers) }),
		"--process": offer(a, func(l *lookup) []source {
			return []source{l.processes, l.ofApp(complete.Processes)}
		}),
		"--output":          words("json\tone object per line"),
		"logs --output":     words("raw\tunchanged lines", "json\tone object per line"),
		"--timestamps":      words("utc", "local", "relative"),
		"--since":           words("1m", "10m", "1h", "24h"),
		"--until":           words("1m", "10m", "1h", "24h"),
		"--tail":            words("10", "100", "1000"),
		"--timeout":         words("1m", "5m", "10m"),
		"--lock-timeout":    words("0s", "45s", "5m"),
		"--request-timeout": words("5s", "30s"),
		"--builder":         words("docker", "podman", "buildah", "nerdctl"),
		"--role":            words("webserver", "worker", "cron", "function"),
	}
}

// offer turns sources into a function for cobra. All sources share a deadline, and none reports errors.
func offer(a *cli.App, find func(*lookup) []source) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		conf, err := a.Config(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), conf.CompletionTimeout)
		defer cancel()
		defer connect.StopPlugin()
		l := &lookup{app: a, conf: conf, args: args, begin: begin}
		var sources []func(context.Context) []complete.Value
		for _, s := range find(l) {
			sources = append(sources, s)
		}
		directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		if l.files {
			directive = cobra.ShellCompDirectiveDefault
		}
		values := complete.Matching(complete.Within(ctx, sources...), begin)
		if len(values) == 1 && strings.HasSuffix(values[0].Text, "/") { // the name of a preview follows
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		return complete.Lines(values), directive
	}
}

// beforeDash offers values for the first argument, and files for the arguments after it, which belong to the command to
// run. It cannot use ArgsLenAtDash, because cobra inserts its own -- before it completes.
func beforeDash(values cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return values(cmd, args, begin)
	}
}

// isPath reports whether an argument that begins like this can only be a path.
func isPath(begin string) bool {
	return strings.HasPrefix(begin, ".") || strings.HasPrefix(begin, "~") ||
		strings.ContainsRune(begin, filepath.Separator)
}
