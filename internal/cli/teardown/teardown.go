// Package teardown implements norn teardown.
package teardown

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/source"
	"norn/pkg/forge"
)

// options are the flags of norn teardown.
type options struct {
	forge.Removal
	yes    bool
	dryRun bool
}

// New returns norn teardown.
func New(a *cli.App) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "teardown [APP]",
		Short: "Delete the app from the cluster, but keep its data",
		Long: `Deletes the app's rule in the Cloudflare tunnel, its Service and PodDisruptionBudget, its Deployment or CronJob
with the Pods, and its Secret. Keeps the PersistentVolumeClaims and their data, and lists them, unless you pass
--delete-data.

norn finds the objects in the cluster, so you can tear down an app by its name even if its infraspec
is gone. Objects that only have norn's labels stay, such as copies. A second run skips deleted
objects. Ends with the command that deploys the same image again.

With --delete-data, lists the claims with their sizes and asks for the app's name. Without a terminal,
pass --yes.`,
		Example: "  norn teardown shop --dry-run\n  norn teardown shop --yes",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			again := ""
			err := a.Steps(cmd.Context(), func(out ui.Progress) (err error) {
				again, err = run(a, cmd, args, o, out)
				return err
			})
			a.PrintAfter(again) // also after a failed step: a second run does not know what ran
			return err
		},
	}
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "skip the confirmation")
	cmd.Flags().BoolVar(&o.DeleteData, "delete-data", false, "delete the PersistentVolumeClaims and their data too")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would be deleted, and change nothing")
	o.Timeout = forge.DefaultDeletionTimeout
	cmd.Flags().Var((*cli.Duration)(&o.Timeout), "timeout", "time limit for waiting until the objects are gone")
	cli.BindLock(cmd, &o.Lock)
	return cmd
}

// run returns what to print at the end.
func run(a *cli.App, cmd *cobra.Command, args []string, o *options, out ui.Progress) (again string, err error) {
	ctx := cmd.Context()
	s, err := a.Connect(ctx, cmd, cli.Purpose{Action: "teardown", App: cli.Argument(args, 0), Access: cli.Writes})
	if err != nil {
		return "", err
	}
	name, spec, err := a.FindName(cli.Argument(args, 0), s.Conf)
	if err != nil {
		return "", err
	}
	o.Environment = s.Environment
	o.Namespace, o.App, o.Repository = s.Conf.Namespace, name, deploy.Repository(ctx, spec)
	if asks := !o.yes && !o.dryRun; asks || spec == nil {
		found, err := forge.Find(ctx, s.Client, o.Removal)
		if err == nil && spec == nil && len(found.Objects)+len(found.Data) == 0 { // misspelled, or the app is already gone
			warnAbsent(ctx, a, s, name)
			return "", nil
		}
		if err == nil && asks {
			err = confirm(ctx, a, s.Title("tear down", o.App), o, found)
		}
		if err != nil {
			return "", err
		}
	}
	out.Begin(s.Title("teardown", name))
	if o.dryRun {
		return "", forge.PlanTeardown(ctx, s.Client, out, o.Removal)
	}
	ran, err := forge.Teardown(ctx, s.Client, out, o.Removal)
	return bringBack(cmd, args, s, ran), err
}

// confirm asks before a teardown. Before it deletes data, it asks for the name of the app.
func confirm(ctx context.Context, a *cli.App, title string, o *options, found forge.AppObjects) error {
	if o.DeleteData && len(found.Data) > 0 {
		return a.ConfirmName(ctx, "teardown --delete-data", title+": "+consequence(found, true), o.App)
	}
	return a.Confirm(ctx, "teardown", title, consequence(found, o.DeleteData))
}

// bringBack returns a line with the command that brings the app back as it was, or "" if nothing ran.
func bringBack(cmd *cobra.Command, args []string, s *cli.Session, ran forge.Ran) string {
	if !ran.Any {
		return ""
	}
	words := []string{"norn", "deploy"}
	if ran.Image == "" { // never deployed
		words[1] = "forge"
	}
	words = append(words, args...)
	if ran.Image != "" {
		words = append(words, "--image", ran.Image)
	}
	for i := range words {
		words[i] = source.Quote(words[i])
	}
	return fmt.Sprintf("to bring it back as it was: %s%s", strings.Join(words, " "), s.SameFlags(cmd))
}

// consequence returns what a teardown deletes, for the prompt.
func consequence(found forge.AppObjects, deleteData bool) string {
	data := "its data is kept"
	switch {
	case deleteData && len(found.Data) == 0:
		data = "it has no volume claims"
	case deleteData:
		data = "and delete its data: " + strings.Join(found.Data, ", ")
	}
	if len(found.Objects) == 0 {
		return data
	}
	return "delete " + strings.Join(found.Objects, ", ") + "; " + data
}

// warnAbsent prints that the app has no objects. A second teardown succeeds and changes nothing.
func warnAbsent(ctx context.Context, a *cli.App, s *cli.Session, name string) {
	advice := "norn status lists the apps"
	if near := s.Similar(ctx, name); near != "" {
		advice = "did you mean " + near + "?"
	}
	a.Warnf("no objects of %s in namespace %s; %s", name, s.Conf.Namespace, advice)
}
