package preview

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/pipeline"
)

// pruneOptions are the flags of norn preview prune.
type pruneOptions struct {
	forge.Removal
	yes    bool
	dryRun bool
}

func newPrune(a *cli.App) *cobra.Command {
	o := &pruneOptions{}
	cmd := &cobra.Command{
		Use:   "prune [APP]",
		Short: "Delete the previews that have expired, with their data",
		Long: `Deletes what norn teardown --delete-data deletes, of each preview that has expired by the API server's
clock: its workloads with the Pods, Service, Secret, tunnel rule, and PersistentVolumeClaims with the
data. Everything else stays, the namespace too.

norn holds the lock of each preview, and reads again whether it has expired. If a preview cannot be
deleted, norn goes on with the next, and the exit code is that of the failure. An interrupted run can
be repeated.

Without APP, norn prunes the previews that norn preview list lists.`,
		Example: "  norn preview prune --dry-run\n  norn preview prune shop --namespace previews --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.Steps(cmd.Context(), func(out ui.Progress) error {
				return prune(a, cmd, cli.Argument(args, 0), o, out)
			})
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "skip the confirmation")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be deleted, and change nothing")
	o.Timeout = forge.DefaultDeletionTimeout
	cmd.Flags().Var((*cli.Duration)(&o.Timeout), "timeout", "time limit for waiting until a preview is gone")
	cli.BindLock(cmd, &o.Lock)
	return cmd
}

func prune(a *cli.App, cmd *cobra.Command, arg string, o *pruneOptions, out ui.Progress) error {
	ctx := cmd.Context()
	s, err := begin(a, cmd, "preview prune", arg)
	if err != nil {
		return err
	}
	all, err := s.previews(ctx)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Expires.IsZero() { // norn was killed before it could mark the first object, or somebody removed the mark
			a.Warnf("%s in namespace %s does not say when it expires; renew it with norn forge, or delete it with norn teardown",
				p.App, p.Namespace)
		}
	}
	expired := slices.DeleteFunc(all, func(p forge.Preview) bool { return !p.Expired(s.now) })
	title := fmt.Sprintf("prune previews of %s in %s", s.what(), s.client.Context)
	if len(expired) == 0 {
		out.Begin(title + ": none has expired")
		return nil
	}
	if !o.yes && !o.dryRun {
		if err := ask(ctx, a, title, expired); err != nil {
			return err
		}
	}
	out.Begin(title)
	o.Repository, o.ExpiredAt = deploy.Repository(ctx, s.spec), s.now
	return forge.Prune(ctx, s.client, pipeline.Runner{To: out, Dry: o.dryRun}, expired, o.Removal)
}

// ask asks before norn deletes previews.
func ask(ctx context.Context, a *cli.App, title string, expired []forge.Preview) error {
	names := make([]string, 0, len(expired))
	for _, p := range expired {
		names = append(names, p.App+" in namespace "+p.Namespace)
	}
	return a.Confirm(ctx, "preview prune", title, "delete "+strings.Join(names, ", ")+", with their data")
}
