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

// Every command says what it does, at length too, and shows how.
func TestEveryCommandIsExplained(t *testing.T) {
	each(New(&cli.App{}), func(cmd *cobra.Command) {
		if cmd.IsAdditionalHelpTopicCommand() {
			return
		}
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" || strings.HasSuffix(cmd.Short, ".") || !strings.HasSuffix(strings.TrimSpace(cmd.Long), ".") && !strings.Contains(cmd.Long, "\n  ") {
			t.Errorf("%s: short %q, long %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Long, cmd.Example)
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || strings.HasSuffix(f.Usage, ".") && !f.Hidden {
				t.Errorf("%s --%s: %q", cmd.CommandPath(), f.Name, f.Usage)
			}
		})
	})
}

// Help fits a terminal of 80 columns, and goes to standard output.
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
				t.Errorf("help %s: space at the end of %q", words, line)
			}
		}
		_, asFlag, _ := norn(t, append(words, "--help")...)
		if !cmd.IsAdditionalHelpTopicCommand() && asFlag != stdout {
			t.Errorf("%s --help is not what help says", words)
		}
	})
	if code, _, stderr := norn(t, "help", "depoly"); code != cli.ExitUsage || !strings.Contains(stderr, `did you mean "deploy"`) {
		t.Errorf("help depoly: exit code %d, %s", code, stderr)
	}
}

// Help is filled to the terminal's width, and not beyond what is well read.
func TestHelpIsFilled(t *testing.T) {
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
			if !strings.HasPrefix(line, "  norn") { // examples are as they are
				n = max(n, ansi.StringWidth(line))
			}
		}
		return n
	}
	for width, want := range map[int][2]int{60: {50, 60}, 80: {70, 80}, 100: {90, 100}, 300: {90, 100}} {
		if n := longest(width); n < want[0] || n > want[1] {
			t.Errorf("at %d columns the longest line has %d", width, n)
		}
	}
}

// The examples are command lines that norn takes: the command, its flags and its number of arguments are right.
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
			t.Errorf("norn%s is in none of its examples:\n%s", path, cmd.Example)
		}
	})
	for _, wrong := range []string{"norn deploy --nosuch", "norn nosuch", "norn forge a b", "norn logs --tail x", "norn secrets nosuch"} {
		if calls := nornCalls(wrong); len(calls) != 1 || accepts(calls[0]) == nil {
			t.Errorf("%q is taken for valid", wrong)
		}
	}
}

// accepts checks a command line without running it.
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
		return errors.New("there is no such command")
	}
	return cmd.ValidateArgs(rest)
}

// nornCalls are norn's arguments in each call of it on a shell's line.
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

// commandsOn splits a shell's line into commands of words, as far as examples go: quotes, pipes, comments, redirections.
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
