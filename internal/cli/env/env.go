// Package env implements norn env.
package env

import (
	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

const long = `An infraspec can have environments, such as staging and production. Each is a partial infraspec that
norn lays over the file, with its own namespace and cluster. Choose one with --env or NORN_ENV. See
docs/environments.md.`

// New returns norn env.
func New(a *cli.App) *cobra.Command {
	cmd := cli.Group("env", "List, show and pin the app's environments", long)
	cmd.Example = "  norn env list\n  norn env show production\n  norn env pin production --context prod"
	cmd.AddCommand(newList(a), newShow(a), newPin(a))
	return cmd
}

// Listed is the JSON output: an environment.
type Listed struct {
	Name      string `json:"environment"`
	Namespace string `json:"namespace,omitempty"`
	Cluster   string `json:"cluster,omitempty"`
	Protected bool   `json:"protected"`
	TTL       int    `json:"ttl,omitempty"` // of previews, in seconds
}

func newList(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "list [APP]",
		Short: "List the app's environments",
		Long: `Lists the environments of the app's infraspec: their namespaces, the fingerprints of their clusters, and
whether they are protected.`,
		Example: "  norn env list\n  norn env list shop -o json | jq -r .environment",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := load(a, cmd, cli.Argument(args, 0))
			if err != nil {
				return err
			}
			all := listed(spec)
			if a.JSON {
				return a.Encode(cli.Elements(all)...)
			}
			rows := make([][]ui.Cell, 0, len(all))
			for _, e := range all {
				note := ""
				switch {
				case e.Protected:
					note = "protected"
				case e.TTL > 0:
					note = "previews"
				}
				rows = append(rows, []ui.Cell{
					{Text: e.Name}, {Text: cli.Dash(e.Namespace)}, {Text: note}, {Text: cli.Dash(e.Cluster)},
				})
			}
			ui.PrintTable(a.Streams.Out, []string{"ENVIRONMENT", "NAMESPACE", "", "CLUSTER"}, rows, "CLUSTER")
			return nil
		},
	}
}

func listed(spec *infraspec.Spec) []Listed {
	all := make([]Listed, 0, len(spec.Environments))
	for _, name := range spec.EnvironmentNames() {
		all = append(all, listedAs(name, spec.Environments[name]))
	}
	return all
}

func listedAs(name string, e infraspec.Environment) Listed {
	ttl := int(e.TTL.Duration().Seconds())
	return Listed{Name: name, Namespace: e.Namespace, Cluster: e.Cluster, Protected: e.Protected, TTL: ttl}
}

func newShow(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use:   "show [APP] ENVIRONMENT",
		Short: "Print the infraspec of an environment",
		Long: `Prints the infraspec with the environment laid over it, as YAML, without comments and aliases. With
--output json, prints the environment's line of norn env list.`,
		Example: "  norn env show production\n  diff <(norn env show staging) <(norn env show production)",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			app, name := appAndEnvironment(args)
			spec, err := load(a, cmd, app)
			if err != nil {
				return err
			}
			laid, err := spec.In(name)
			if err != nil {
				return err
			}
			if a.JSON {
				own, err := spec.Chosen(name)
				if err != nil {
					return err
				}
				return a.Encode(listedAs(name, own))
			}
			text, err := laid.Text()
			if err != nil {
				return err
			}
			return ui.PrintData(a.Streams.Out, text)
		},
	}
}

// load returns the infraspec of an app without an environment laid over it.
func load(a *cli.App, cmd *cobra.Command, arg string) (*infraspec.Spec, error) {
	conf, err := a.Config(cmd)
	if err != nil {
		return nil, err
	}
	conf.Env = "" // these commands take the environment as an argument
	return a.Spec(arg, conf)
}

// appAndEnvironment splits the arguments [APP] ENVIRONMENT.
func appAndEnvironment(args []string) (app, name string) {
	if len(args) == 1 {
		return "", args[0]
	}
	return args[0], args[1]
}
