package secrets

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/secrets"
)

// Rotated is the JSON output of norn secrets rotate.
type Rotated struct {
	Path       string   `json:"path"`
	Rules      string   `json:"rules,omitempty"` // the .sops.yaml that named the recipients
	Recipients []string `json:"recipients"`
	Added      []string `json:"added,omitempty"`
	Removed    []string `json:"removed,omitempty"`
}

func newRotate(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "rotate [APP]",
		Short: "Encrypt the app's secrets with a new key",
		Long: `Creates a new data key and encrypts all values with it, for the recipients that .sops.yaml names now. The
values stay the same. A removed recipient cannot read new values, but may still know the old ones.`,
		Example: "  norn secrets rotate\n  norn secrets rotate shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := findFile(a, cmd, cli.Argument(args, 0))
			if err != nil {
				return err
			}
			done, err := secrets.Rotate(cmd.Context(), file.path)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.Encode(Rotated{file.path, done.Rules, done.Recipients, done.Added, done.Removed})
			}
			rules := "the recipients in the file; there is no " + secrets.RulesName
			if done.Rules != "" {
				rules = "the recipients in " + ui.DisplayPath(done.Rules)
			}
			recipients := strings.Join(done.Recipients, ", ")
			err = ui.PrintText(a.Streams.Out, fmt.Sprintf("encrypted %s with a new key for %s (%s)",
				ui.DisplayPath(file.path), recipients, rules))
			for _, r := range done.Added {
				ui.PrintLine(a.Streams.Out, ui.Good, "+", r)
			}
			for _, r := range done.Removed {
				ui.PrintLine(a.Streams.Out, ui.Bad, "-", r)
			}
			if len(done.Removed) > 0 {
				a.Warnf("removed recipients can still read the old values in the repository's history: change the values too")
			}
			return err
		},
	}
}

// Ready is the JSON output of norn secrets init.
type Ready struct {
	Rules     string `json:"rules"`
	NewRules  bool   `json:"newRules"`
	Recipient string `json:"recipient,omitempty"` // the user's public key, unless the rules already name it
	Key       string `json:"key,omitempty"`       // the key's file; "" without Recipient
	NewKey    bool   `json:"newKey"`
}

func newInit(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "init [APP]",
		Short: "Create an age key and .sops.yaml if missing",
		Long: `Creates what encryption needs: an age key where SOPS looks for one (SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, or
sops/age/keys.txt in the configuration folder), readable by its owner only, and a .sops.yaml beside
the infraspec that names its public key. Existing files are used and never changed.

In a repository that already has a .sops.yaml, norn creates your key if you have none, and prints the
public key. Add it to .sops.yaml, and ask someone who can decrypt the secrets to run norn secrets rotate.`,
		Example: "  norn secrets init\n  norn secrets init shop",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := findFile(a, cmd, cli.Argument(args, 0))
			if err != nil {
				return err
			}
			s, err := secrets.Init(file.path)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.Encode(Ready{s.Rules, s.NewRules, s.Recipient, s.Key, s.NewKey})
			}
			return printSetup(a, s)
		},
	}
}

func printSetup(a *cli.App, s *secrets.Setup) error {
	rules := ui.DisplayPath(s.Rules)
	var text string
	switch {
	case s.NewKey:
		text = fmt.Sprintf("created an age key in %s; keep a copy in a safe place, and never commit it\n", s.Key)
	case s.Key != "":
		text = fmt.Sprintf("using the age key in %s\n", s.Key)
	}
	switch {
	case s.NewRules:
		text += fmt.Sprintf("wrote %s for %s\nnext: norn secrets set NAME\n", rules, s.Recipient)
	case s.Named:
		text += fmt.Sprintf("%s already names the recipients of %s; nothing was changed\nnext: norn secrets set NAME\n",
			rules, secrets.FileName)
	default:
		text += fmt.Sprintf("%s does not name your public key: %s\n"+
			"next: add it there and commit; then ask someone who can decrypt the secrets to run norn secrets rotate\n",
			rules, s.Recipient)
	}
	return ui.PrintText(a.Streams.Out, a.Rename(text))
}
