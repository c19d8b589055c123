package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/ui"
	"norn/pkg/secrets"
)

// secretsRotated is what a rotation has made.
type secretsRotated struct {
	Path       string   `json:"path"`
	Rules      string   `json:"rules,omitempty"` // the .sops.yaml that named the recipients
	Recipients []string `json:"recipients"`
	Added      []string `json:"added,omitempty"`
	Removed    []string `json:"removed,omitempty"`
}

func newSecretsRotateCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate [APP]",
		Short: "Encrypt the app's secrets with a new key, for those whom .sops.yaml names",
		Long: `Makes a new data key and encrypts all values with it, for the recipients that .sops.yaml names now. The values stay the same: who is
no longer a recipient cannot read what comes, and still knows what was.`,
		Example: "  norn secrets rotate\n  norn secrets rotate shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := a.secretsFile(cmd, argument(args, 0))
			if err != nil {
				return err
			}
			done, err := secrets.Rotate(cmd.Context(), file.path)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.encode(secretsRotated{file.path, done.Rules, done.Recipients, done.Added, done.Removed})
			}
			rules := "the file's own recipients, since there is no " + secrets.RulesName
			if done.Rules != "" {
				rules = "as " + ui.DisplayPath(done.Rules) + " says"
			}
			_, err = fmt.Fprintf(a.streams.Out, "%s has a new key, for %s (%s)\n", ui.DisplayPath(file.path), strings.Join(done.Recipients, ", "), rules)
			for _, r := range done.Added {
				ui.PrintLine(a.streams.Out, ui.Good, "+", r)
			}
			for _, r := range done.Removed {
				ui.PrintLine(a.streams.Out, ui.Bad, "-", r)
			}
			if len(done.Removed) > 0 {
				ui.PrintWarning(a.streams.Err, "who was taken out could read the values until now, and still can in the repository's history: change the values too, where they are used")
			}
			return err
		},
	}
}

// secretsReady is what norn secrets init has found or made.
type secretsReady struct {
	Rules     string `json:"rules"`
	NewRules  bool   `json:"newRules"`
	Recipient string `json:"recipient,omitempty"` // where the rules are new
	Key       string `json:"key,omitempty"`       // likewise: the key's file
	NewKey    bool   `json:"newKey"`
}

func newSecretsInitCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init [APP]",
		Short: "Make an age key and .sops.yaml, where there are none",
		Long: `Makes what encrypting needs and is not there yet: an age key where SOPS looks for one (SOPS_AGE_KEY, SOPS_AGE_KEY_FILE or
sops/age/keys.txt in the folder for settings), readable by its owner only, and a .sops.yaml beside the infraspec that names its public
key. What is there is used, and never changed.`,
		Example: "  norn secrets init\n  norn secrets init shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := a.secretsFile(cmd, argument(args, 0))
			if err != nil {
				return err
			}
			s, err := secrets.Init(file.path)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.encode(secretsReady{s.Rules, s.NewRules, s.Recipient, s.Key, s.NewKey})
			}
			out := a.streams.Out
			switch {
			case !s.NewRules:
				_, err = fmt.Fprintf(out, "%s says already for whom %s is encrypted; nothing was changed\n", ui.DisplayPath(s.Rules), secrets.FileName)
				return err
			case s.NewKey:
				_, _ = fmt.Fprintf(out, "made an age key in %s; keep a copy of it in a safe place, and never in the repository\n", s.Key)
			default:
				_, _ = fmt.Fprintf(out, "took the age key in %s\n", s.Key)
			}
			_, err = fmt.Fprintf(out, a.say("wrote %s for %s\nnext: norn secrets set NAME\n"), ui.DisplayPath(s.Rules), s.Recipient)
			return err
		},
	}
}
