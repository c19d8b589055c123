package root

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/internal/cli"
	"norn/internal/manual"
)

// Every command has a short and a long description and an example. Every flag has a description. Short has at most 60
// characters.
func TestEveryCommandIsExplained(t *testing.T) {
	each(New(&cli.App{}), func(cmd *cobra.Command) {
		if cmd.IsAdditionalHelpTopicCommand() {
			return
		}
		if cmd.Short == "" || len(cmd.Short) > 60 || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short %q", cmd.CommandPath(), cmd.Short)
		}
		if !strings.HasSuffix(strings.TrimSpace(cmd.Long), ".") && !strings.Contains(cmd.Long, "\n  ") {
			t.Errorf("%s: long %q", cmd.CommandPath(), cmd.Long)
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") && !f.Hidden {
				t.Errorf("%s --%s: %q", cmd.CommandPath(), f.Name, f.Usage)
			}
		})
	})
}

// Help fits into 80 columns, and goes to standard output.
func TestHelpFits(t *testing.T) {
	each(New(&cli.App{}), func(cmd *cobra.Command) {
		words := strings.Fields(cmd.CommandPath())[1:]
		code, stdout, stderr := norn(t, append([]string{"help"}, words...)...)
		if code != 0 || stderr != "" || stdout == "" {
			t.Errorf("help %s: exit code %d, stderr %q", words, code, stderr)
		}
		for line := range strings.Lines(stdout) {
			if ansi.StringWidth(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("help %s: %d columns: %s", words, ansi.StringWidth(line), line)
			}
			if strings.TrimRight(line, " \n")+"\n" != line {
				t.Errorf("help %s: trailing space in %q", words, line)
			}
		}
		_, asFlag, _ := norn(t, append(words, "--help")...)
		if !cmd.IsAdditionalHelpTopicCommand() && asFlag != stdout {
			t.Errorf("%s --help and help differ", words)
		}
	})
	code, _, stderr := norn(t, "help", "depoly")
	if code != cli.ExitUsage || !strings.Contains(stderr, `did you mean "deploy"`) {
		t.Errorf("help depoly: exit code %d, %s", code, stderr)
	}
}

// Help is wrapped to the terminal's width, but at most to a width that is comfortable to read.
func TestHelpIsWrapped(t *testing.T) {
	longest := func(width int) int {
		root := New(&cli.App{})
		deploy, _, err := root.Find([]string{"deploy"})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		manual.Help(&b, deploy, width)
		n := 0
		for line := range strings.Lines(b.String()) {
			if !strings.HasPrefix(line, "  norn") { // examples are not wrapped
				n = max(n, ansi.StringWidth(line))
			}
		}
		return n
	}
	for width, want := range map[int][2]int{60: {50, 60}, 80: {70, 80}, 100: {90, 100}, 300: {90, 100}} {
		if n := longest(width); n < want[0] || n > want[1] {
			t.Errorf("at %d columns, the longest line has %d", width, n)
		}
	}
}

// Examples are valid: norn accepts the command, its flags and its number of arguments.
func TestExamplesAreValid(t *testing.T) {
	each(New(&cli.App{}), func(cmd *cobra.Command) {
		path := strings.TrimPrefix(cmd.CommandPath(), "norn")
		mentioned := false
		for line := range strings.Lines(cmd.Example) {
			for _, words := range nornCalls(line) {
				mentioned = mentioned || strings.HasPrefix(" "+strings.Join(words, " "), path)
				if err := accepts(words); err != nil {
					t.Errorf("norn%s: the example %q: %v", path, strings.TrimSpace(line), err)
				}
			}
		}
		if !mentioned && !cmd.IsAdditionalHelpTopicCommand() {
			t.Errorf("no example of norn%s calls it:\n%s", path, cmd.Example)
		}
	})
	for _, wrong := range []string{
		"norn deploy --nosuch", "norn nosuch", "norn forge a b", "norn logs --tail x", "norn secrets nosuch",
	} {
		if calls := nornCalls(wrong); len(calls) != 1 || accepts(calls[0]) == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

// accepts returns an error for a command line that norn would reject. It does not run the command.
func accepts(words []string) error {
	cmd, args, err := New(&cli.App{}).Find(words)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	rest := cmd.Flags().Args()
	if (!cmd.HasParent() || cmd.HasSubCommands()) && len(rest) > 0 {
		return errors.New("unknown command")
	}
	return cmd.ValidateArgs(rest)
}

// nornCalls returns the arguments of each call of norn in a shell command line.
func nornCalls(line string) [][]string {
	var calls [][]string
	for _, words := range commandsOn(line) {
		for i, w := range words {
			if w == "norn" && (i == 0 || strings.Contains(words[i-1], "=")) {
				calls = append(calls, words[i+1:])
			}
		}
	}
	return calls
}

// commandsOn splits a shell command line into commands and words. It supports quotes, pipes, comments and
// redirections.
func commandsOn(line string) [][]string {
	var commands [][]string
	var words []string
	var word strings.Builder
	var quote rune
	inWord, skip := false, false
	endWord := func() {
		if inWord && !skip {
			words = append(words, word.String())
		}
		skip = skip && !inWord
		word.Reset()
		inWord = false
	}
	endCommand := func() {
		endWord()
		commands, words, skip = append(commands, words), nil, false
	}
	for _, r := range strings.TrimSpace(line) {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, inWord = r, true
		case quote != 0:
			word.WriteRune(r)
		case r == '#' && !inWord:
			endCommand()
			return commands
		case strings.ContainsRune("|;&()", r):
			endCommand()
		case r == '>' || r == '<':
			endWord()
			skip = r == '>'
		case r == ' ':
			endWord()
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	endCommand()
	return commands
}
