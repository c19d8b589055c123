package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/internal/status"
	"norn/pkg/infraspec"
)

// AtMost accepts at most n arguments. The error for more arguments has the hint advice.
func AtMost(n int, advice string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return withHint(WrongArguments(cmd, args), advice)
	}
}

// WrongArguments returns the error for arguments that cmd does not accept.
func WrongArguments(cmd *cobra.Command, args []string) error {
	_, accepted, _ := strings.Cut(cmd.Use, " ")
	if accepted == "" {
		return Usagef("%s accepts no arguments, got %d", CommandName(cmd), len(args))
	}
	return Usagef("%s accepts %s, got %s", CommandName(cmd), accepted, Plural(len(args), "argument"))
}

// withHint returns err, a UsageError, with a hint.
func withHint(err error, advice string) error {
	if usage, ok := err.(*UsageError); ok { //nolint:errorlint // Usagef returns it unwrapped
		usage.advice = advice
	}
	return err
}

// UnknownCommand returns the error for a word that names no command below cmd. It shows only what is before "=": the
// word may be a secret's NAME=VALUE after "norn secrets" without "set".
func UnknownCommand(cmd *cobra.Command, word string) error {
	word, _, _ = strings.Cut(word, "=")
	below := ""
	if cmd.HasParent() {
		below = " for " + CommandName(cmd)
	}
	if advice := alternative(cmd, word); advice != "" {
		return withHint(Usagef("unknown command %q%s", word, below), advice)
	}
	return Usagef("unknown command %q%s%s", word, below, Suggestion(cmd, word))
}

// Suggestion returns "; did you mean …?" for a word that names no command below cmd, or "".
func Suggestion(cmd *cobra.Command, word string) string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
		if len(word) > 2 && sub.IsAvailableCommand() && strings.HasPrefix(sub.Name(), word) {
			return fmt.Sprintf("; did you mean %q?", sub.Name())
		}
	}
	if near := infraspec.Nearest(word, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// Hints for commands of other tools.
const (
	openShell = "norn has no interactive shell; run kubectl exec -it deploy/APP -- sh"
	forward   = "norn forwards no ports; run kubectl port-forward deploy/APP 8080:PORT"
	deployIt  = "deploy an app with norn deploy"
	variables = "set plain variables under env in infraspec.yaml, and secret ones with norn secrets set"
)

// otherTools maps commands of other tools to hints.
var otherTools = map[string]string{
	"exec": openShell, "ssh": openShell, "console": openShell, "shell": openShell, "attach": openShell, "sh": openShell,
	"port-forward": forward, "proxy": forward, "forward": forward,
	"open": "see the host names with norn status APP; " +
		"to reach a Pod from here, run kubectl port-forward deploy/APP 8080:PORT",
	"up": deployIt, "apply": deployIt, "create": deployIt, "launch": deployIt, "release": deployIt, "push": deployIt,
	"build": deployIt, "install": deployIt, "upgrade": deployIt, "sync": deployIt,
	"down": "remove an app with norn teardown", "destroy": "remove an app with norn teardown",
	"delete": "remove an app with norn teardown", "rm": "remove an app with norn teardown",
	"uninstall": "remove an app with norn teardown",
	"man":       "read about a command with norn help COMMAND", "manual": "read about a command with norn help COMMAND",
	"ps": "list the apps with norn status, and an app's Pods with norn status APP", "ls": "list the apps with norn status",
	"list": "list the apps with norn status", "apps": "list the apps with norn status",
	"get":      "list the apps with norn status",
	"describe": "describe an app with norn status APP", "info": "describe an app with norn status APP",
	"releases": "list the deployed versions with norn history", "undo": "go back with norn rollback",
	"log": "show the logs with norn logs", "tail": "follow the logs with norn logs -f",
	"config": variables, "set": variables,
	"scale": "set replicas in infraspec.yaml", "cp": "copy files with kubectl cp",
	"top": "run kubectl top pod -l app=APP", "events": "see why Pods are not ready with norn status APP",
	"migrate": "norn deploy runs migrations.command before it replaces the Pods; run any other command with norn run",
}

// Hints for subcommands of other tools for secrets.
const (
	readOne = "print a value with norn secrets exec -- printenv NAME, or see all values with norn secrets edit"
	setOne  = "set a value with norn secrets set, or several with norn secrets edit"
	unset   = "remove a value with norn secrets unset"
)

// otherSecrets maps subcommands of other tools to hints for norn secrets.
var otherSecrets = map[string]string{
	"get": readOne, "show": readOne, "view": readOne, "cat": readOne, "print": readOne, "decrypt": readOne,
	"add": setOne, "create": setOne, "put": setOne, "import": setOne, "update": setOne,
	"rm": unset, "remove": unset, "delete": unset, "del": unset,
}

// alternative returns the hint for a command of another tool, or "".
func alternative(cmd *cobra.Command, word string) string {
	switch CommandName(cmd) {
	case OwnName:
		return otherTools[word]
	case OwnName + " secrets":
		return otherSecrets[word]
	}
	return ""
}

// NoHelp returns the error for a word that is neither a command below root nor a topic.
func NoHelp(root *cobra.Command, word string) error {
	if advice := helpAdvice(word); advice != "" {
		return withHint(Usagef("no help for %q", word), advice)
	}
	err := Usagef("no help for %q%s", word, Suggestion(root, word))
	return withHint(err, "run norn help to list the commands and topics")
}

// helpAdvice returns where to read about a word that is neither a command nor a topic, or "".
func helpAdvice(word string) string {
	switch advice := infraspec.Alternative(word); {
	case infraspec.IsKey(word):
		return word + " is a key of infraspec.yaml; run norn schema to see its description"
	case advice != "":
		return advice
	case strings.HasPrefix(word, "NORN_"):
		return "run norn help environment to list the variables"
	default:
		return otherTools[word]
	}
}

// otherFlags maps pflag's errors for flags of other tools to hints.
var otherFlags = map[string]string{
	"unknown shorthand flag: 'i'": openShell,
	"unknown shorthand flag: 't'": openShell,
	"unknown flag: --interactive": openShell,
	"unknown flag: --tty":         openShell,
	"unknown shorthand flag: 'A'": "norn works in one namespace at a time; set it with --namespace",
	"unknown flag: --all":         "this command works on one app at a time",
}

// FlagErrorFor returns the error for pflag's err about a flag of cmd. args are all arguments after norn. If args also
// name an unknown command, the error is about the command.
func FlagErrorFor(cmd *cobra.Command, args []string, err error) error {
	depth := strings.Count(CommandName(cmd), " ")
	if cmd.HasSubCommands() && len(args) > depth && !strings.HasPrefix(args[depth], "-") {
		return UnknownCommand(cmd, args[depth])
	}
	usage := FlagError(err)
	for text, advice := range otherFlags {
		if rest, ok := strings.CutPrefix(err.Error(), text); ok && (rest == "" || rest[0] == ' ') {
			return withHint(usage, advice)
		}
	}
	if wrong, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok && wrong != "version" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				names = append(names, f.Name)
			}
		})
		if near := infraspec.Nearest(wrong, names); near != "" {
			return Usagef("%w; did you mean --%s?", err, near)
		}
	}
	return usage
}

// MisspelledError reports that an app does not exist, and that another app has a similar name.
type MisspelledError struct {
	Err  error
	Near string // the other app
}

func (e *MisspelledError) Error() string { return e.Err.Error() }
func (e *MisspelledError) Unwrap() error { return e.Err }

// Hint suggests the other app.
func (e *MisspelledError) Hint() string {
	return fmt.Sprintf("did you mean %s? norn status lists the apps", e.Near)
}

// CheckSpelling returns err as a MisspelledError if no app has this name, and another app has a similar name. It
// returns any other error unchanged.
func (s *Session) CheckSpelling(ctx context.Context, name string, err error) error {
	if err == nil || find(ctx, err).code != ExitUsage {
		return err
	}
	if near := s.Similar(ctx, name); near != "" {
		return &MisspelledError{err, near}
	}
	return err
}

// Similar returns the app on this machine or in the cluster whose name is most similar to name. It returns "" if there
// is none, or if name itself exists.
func (s *Session) Similar(ctx context.Context, name string) string {
	names, _ := s.Client.AppNames(ctx, s.Conf.Namespace) // some names are better than none
	if here, err := Here(); err == nil {
		locals, _ := status.OnDisk(here, s.Conf.AppsDir)
		for _, l := range locals {
			names = append(names, l.Name)
		}
	}
	return infraspec.Nearest(name, names)
}
