package env

import (
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// Pinned is the JSON output of norn env pin.
type Pinned struct {
	Listed
	Path    string `json:"path"`
	Context string `json:"context"`
	Changed bool   `json:"changed"`
}

func newPin(a *cli.App) *cobra.Command {
	var replace bool
	cmd := &cobra.Command{
		Use:   "pin [APP] ENVIRONMENT",
		Short: "Tie an environment to the current cluster",
		Long: `Writes the fingerprint of the cluster into the environment's part of the infraspec, as cluster. The rest
of the file stays as it is. From then on, norn works on this environment only in this cluster.

The fingerprint is a hash of the UID of the namespace kube-system. It needs the permission to get this
namespace. An environment with the fingerprint of another cluster is an error without --replace.`,
		Example: "  norn env pin production --context prod\n  norn env pin shop staging --replace",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			app, name := appAndEnvironment(args)
			return pin(a, cmd, app, name, replace)
		},
	}
	cmd.Flags().BoolVar(&replace, "replace", false, "replace the fingerprint of another cluster")
	return cmd
}

func pin(a *cli.App, cmd *cobra.Command, app, name string, replace bool) error {
	spec, err := load(a, cmd, app)
	if err != nil {
		return err
	}
	if _, err := spec.In(name); err != nil {
		return err
	}
	context, found, err := a.Fingerprint(cmd.Context(), name)
	if err != nil {
		return err
	}
	was := spec.Environments[name]
	if was.Cluster != "" && was.Cluster != found && !replace {
		return &cli.ClusterError{Environment: name, Wanted: was.Cluster, Context: context, Found: found}
	}
	if was.Cluster != found {
		if err := infraspec.PinFile(spec.Path(), name, found); err != nil {
			return &PinError{Path: spec.Path(), Environment: name, Cluster: found, Err: err}
		}
	}
	if a.JSON {
		now := was
		now.Cluster = found
		return a.Encode(Pinned{listedAs(name, now), spec.Path(), context, was.Cluster != found})
	}
	text := fmt.Sprintf("%s: environment %s is pinned to the cluster of context %s",
		ui.DisplayPath(spec.Path()), name, context)
	if was.Cluster == found {
		text += " already"
	}
	return ui.PrintText(a.Streams.Out, text)
}

// PinError reports that norn cannot write a fingerprint into an infraspec.
type PinError struct {
	Path, Environment, Cluster string
	Err                        error
}

// Error names the environment and the reason.
func (e *PinError) Error() string {
	return fmt.Sprintf("cannot pin environment %s in %s: %v", e.Environment, ui.DisplayPath(e.Path), e.Err)
}

func (e *PinError) Unwrap() error { return e.Err }

// Hint returns the line to add.
func (e *PinError) Hint() string {
	return fmt.Sprintf("add this line under environments.%s: cluster: %q", e.Environment, e.Cluster)
}
