// Package completion is norn completion.
package completion

import (
	"io"

	"github.com/spf13/cobra"

	"norn/internal/cli"
)

const longCompletion = `Prints a script that lets a shell complete norn's commands, flags and their values: apps on disk and in the cluster, git branches and tags,
contexts, namespaces, revisions, pods, names of secrets.

What is not found within 120 ms (NORN_COMPLETION_TIMEOUT) is not offered. Completion never asks for anything and prints no errors: a cluster whose credential
plugin has to ask its user offers nothing.`

// shell is one that norn has a completion script for.
type shell struct {
	name, install, example string
	write                  func(root *cobra.Command, w io.Writer, descriptions bool) error
}

func shells() []shell {
	return []shell{
		{
			"bash", `Needs the package bash-completion. For all shells to come:

  norn completion bash >~/.local/share/bash-completion/completions/norn`,
			"  source <(norn completion bash)    # in this shell only",
			func(root *cobra.Command, w io.Writer, d bool) error { return root.GenBashCompletionV2(w, d) },
		},
		{
			"zsh", `Where completion is not on yet, put "autoload -Uz compinit && compinit" into ~/.zshrc. For all shells to come, into a folder of $fpath:

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
			"fish", `For all shells to come:

  norn completion fish >~/.config/fish/completions/norn.fish`,
			"  norn completion fish | source    # in this shell only",
			func(root *cobra.Command, w io.Writer, d bool) error { return root.GenFishCompletion(w, d) },
		},
		{
			"powershell", `For all shells to come:

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

// New returns norn completion.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("completion", "Print a shell's completion script", longCompletion)
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
		sub.Flags().BoolVar(&plain, "no-descriptions", false, "offer values without a word on each")
		cmd.AddCommand(sub)
	}
	return cmd
}
