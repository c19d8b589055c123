package cli

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The names that norn is called by: its own and, where kubectl finds it as its plugin, kubectl's (kubernetes.io: Extend kubectl with plugins).
const (
	ownName    = "norn"
	pluginFile = "kubectl-norn"
	pluginName = "kubectl norn"
)

// calledBy is how a user calls the program that lies at path.
func calledBy(path string) string {
	if strings.TrimSuffix(filepath.Base(path), ".exe") == pluginFile {
		return pluginName
	}
	return ownName
}

// nameOf is a command's name with norn's own in front, by whatever name norn is called.
func nameOf(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ownName
	}
	return nameOf(cmd.Parent()) + " " + cmd.Name()
}

// say puts the name that norn is called by into a text that mentions its commands.
func (a *app) say(text string) string {
	if a.called != pluginName {
		return text
	}
	return a.mention.ReplaceAllString(text, pluginName+" $1")
}

// speakAs puts the name that norn is called by into all help.
func (a *app) speakAs(root *cobra.Command) {
	if a.called != pluginName {
		return
	}
	names := []string{"help"}
	for _, sub := range root.Commands() {
		names = append(names, sub.Name())
	}
	a.mention = regexp.MustCompile(`\bnorn (` + strings.Join(names, "|") + `)\b`)
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginName}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, text := range []*string{&cmd.Short, &cmd.Long, &cmd.Example} {
			*text = a.say(*text)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { f.Usage = a.say(f.Usage) })
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// spoken is err as it is printed.
func (a *app) spoken(err error) error {
	if a.called != pluginName || err == nil {
		return err
	}
	return &spokenError{err, a.say}
}

// spokenError is an error in which the commands are mentioned by the name that norn is called by.
type spokenError struct {
	err error
	say func(string) string
}

func (e *spokenError) Error() string { return e.say(e.err.Error()) }
func (e *spokenError) Unwrap() error { return e.err }

// As offers the hint likewise, where there is one.
func (e *spokenError) As(target any) bool {
	hint, ok := target.(*interface{ Hint() string })
	var inner interface{ Hint() string }
	if !ok || !errors.As(e.err, &inner) {
		return false
	}
	*hint = spokenHint(e.say(inner.Hint()))
	return true
}

type spokenHint string

// Hint is the hint's text.
func (h spokenHint) Hint() string { return string(h) }
