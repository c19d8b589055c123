// Package completion implements norn completion.
package completion

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
)

const long = `Prints a script that makes a shell complete norn's commands, flags and values: apps on disk and in the
cluster, git branches and tags, contexts, namespaces, revisions, Pods and names of secrets.

norn offers the values that it finds within 120 ms; NORN_COMPLETION_TIMEOUT changes this limit.
Completion never prompts and prints no errors. If a credential plugin needs a prompt, norn omits the
cluster's values.`

// shell describes a shell for which norn has a completion script.
type shell struct {
	name, install, example string
	write                  func(root *cobra.Command, w io.Writer, descriptions bool) error
}

func shells() []shell {
	return []shell{
		{
			"bash", `Requires the bash-completion package. To install the script:

  norn completion bash >~/.local/share/bash-completion/completions/norn`,
			"  source <(norn completion bash)    # in this shell only",
			func(root *cobra.Command, w io.Writer, d bool) error { return root.GenBashCompletionV2(w, d) },
		},
		{
			"zsh", `If completion is not enabled yet, add "autoload -Uz compinit && compinit" to ~/.zshrc. To install the
script in a folder of $fpath:

  norn completion zsh >"${fpath[1]}/_norn"`,
			"  source <(norn completion zsh)    # in this shell only",
			func(root *cobra.Command, w io.Writer, d bool) error {
				if d {
					return root.GenZshCompletion(w)
				}
				return root.GenZshCompletionNoDesc(w)
			},
		},
		{
			"fish", `To install the script:

  norn completion fish >~/.config/fish/completions/norn.fish`,
			"  norn completion fish | source    # in this shell only",
			writeFish,
		},
		{
			"powershell", `To install the script:

  norn completion powershell >>$PROFILE`,
			"  norn completion powershell | Out-String | Invoke-Expression",
			func(root *cobra.Command, w io.Writer, d bool) error {
				if d {
					return root.GenPowerShellCompletionWithDesc(w)
				}
				return root.GenPowerShellCompletion(w)
			},
		},
	}
}

// The line of cobra's script for fish that reads the command line, and norn's line in its place. fish returns the words
// without their quotes. The script then evaluates them, so a file named "(reboot)" before the word to complete would
// run. norn's line quotes the words again, and expands only the home folder.
const (
	fishWords       = "set -l args (commandline -opc)\n"
	fishQuotedWords = `set -l args (string escape -- (commandline -opc | string replace -r '^~(/|$)' "$HOME\$1"))` + "\n"
)

// writeFish writes the script for fish.
func writeFish(root *cobra.Command, w io.Writer, descriptions bool) error {
	var script bytes.Buffer
	if err := root.GenFishCompletion(&script, descriptions); err != nil {
		return err
	}
	_, err := io.WriteString(w, strings.Replace(script.String(), fishWords, fishQuotedWords, 1))
	return err
}

// New returns norn completion.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("completion", "Print a completion script for a shell", long)
	cmd.Example = "  source <(norn completion bash)\n  norn completion zsh >\"${fpath[1]}/_norn\""
	for _, s := range shells() {
		var plain bool
		sub := &cobra.Command{
			Use:     s.name,
			Short:   "Print the completion script for " + s.name,
			Long:    "Prints the completion script for " + s.name + ". " + s.install,
			Example: s.example,
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return s.write(cmd.Root(), a.Streams.Out, !plain) },
		}
		sub.Flags().BoolVar(&plain, "no-descriptions", false, "omit the descriptions")
		cmd.AddCommand(sub)
	}
	return cmd
}
