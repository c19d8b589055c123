package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"norn/internal/scaffold"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

func newInitCmd(a *app) *cobra.Command {
	var flags scaffold.Answers
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write an infraspec.yaml for a new app",
		Long: `Writes infraspec.yaml from what the folder shows (its name, the Dockerfile and the port it exposes, the git remote) and
from what you answer; without a terminal the flags answer. The schema for editors goes beside it. A file
that is there is never overwritten.`,
		Example: "  norn init\n  norn init ./shop --role webserver --port 8080 --healthcheck /healthz",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := filepath.Abs(argument(args, 0))
			if err != nil {
				return fmt.Errorf("find the app's folder: %w", err)
			}
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return &usageError{err: fmt.Errorf("%s is not a folder", dir)}
			}
			if err := scaffold.Exists(dir); err != nil {
				return err
			}
			answers := scaffold.Detect(cmd.Context(), dir)
			if err := a.complete(cmd, &answers, flags); err != nil {
				return err
			}
			return a.scaffold(dir, answers)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.App, "app", "", "the app's name (default the folder's)")
	f.StringVar(&flags.Role, "role", "", "webserver, worker, cron or function (default webserver)")
	f.IntVar(&flags.Port, "port", 0, "the port the container listens on (default what the Dockerfile exposes)")
	f.StringVar(&flags.Healthcheck, "healthcheck", "", "path that the probes get, such as /healthz")
	f.StringVar(&flags.Internal, "internal", "", "name of the Service (default the app's)")
	f.StringVar(&flags.External, "external", "", "public host name")
	f.StringVar(&flags.Schedule, "schedule", "", "when a cron app runs, in cron syntax")
	f.StringVar(&flags.Command, "command", "", "what a cron app runs")
	f.BoolVar(&flags.FromRemote, "from-remote", false, "deploy from the git remote and not from the folder")
	return cmd
}

// complete takes the flags' answers, and asks for the others on a terminal.
func (a *app) complete(cmd *cobra.Command, answers *scaffold.Answers, flags scaffold.Answers) error {
	prompt, asking := ui.NewPrompt(a.streams)
	for _, q := range questions(flags) {
		switch given := cmd.Flags().Changed(q.flag); {
		case !q.applies(answers):
			if given {
				return &usageError{err: fmt.Errorf("--%s does nothing for a %s", q.flag, answers.Role)}
			}
		case given:
			q.take(answers)
			if value := cmd.Flags().Lookup(q.flag).Value.String(); q.needed != "" && (value == "" || value == "0") {
				return &usageError{err: fmt.Errorf("--%s is empty: %s", q.flag, q.needed)}
			}
			if problem := scaffold.Problem(q.soFar(*answers)); problem != "" {
				return &usageError{err: fmt.Errorf("--%s: %s", q.flag, problem)}
			}
		case asking && q.text != "":
			if err := ask(cmd.Context(), prompt, q, answers); err != nil {
				if errors.Is(err, io.EOF) {
					return errors.New("the input has ended; nothing was written")
				}
				return fmt.Errorf("nothing was written: %w", err)
			}
		case q.needed != "" && q.fallback(answers) == "":
			return &usageError{err: fmt.Errorf("--%s is needed: %s", q.flag, q.needed)}
		default:
			if err := q.set(answers, q.fallback(answers)); err != nil {
				return &usageError{err: err}
			}
		}
	}
	if answers.FromRemote && answers.Remote == "" {
		return &usageError{err: errors.New("--from-remote: this folder's git repository has no remote called origin")}
	}
	if problem := scaffold.Problem(*answers); problem != "" {
		return &usageError{err: errors.New(problem)}
	}
	return nil
}

// ask repeats a question until its answer makes a valid infraspec. An empty answer is the default, "-" is none.
func ask(ctx context.Context, prompt *ui.Prompt, q question, answers *scaffold.Answers) error {
	for {
		text := q.text
		if d := q.fallback(answers); d != "" {
			text += " [" + d + "]"
		}
		answer, err := prompt.Ask(ctx, text+": ")
		if err != nil {
			return err
		}
		switch answer {
		case "":
			answer = q.fallback(answers)
		case "-":
			answer = ""
		}
		next := *answers
		err = q.set(&next, answer)
		if err == nil && q.needed != "" && answer == "" {
			err = errors.New(q.needed)
		}
		if problem := scaffold.Problem(q.soFar(next)); err == nil && problem != "" {
			err = errors.New(problem)
		}
		if err == nil {
			*answers = next
			return nil
		}
		prompt.Say("  " + err.Error())
	}
}

// scaffolded is what norn init has written.
type scaffolded struct {
	App  string `json:"app"`
	Path string `json:"path"`
}

func (a *app) scaffold(dir string, answers scaffold.Answers) error {
	path, stale, err := scaffold.Write(dir, answers)
	if err != nil {
		return err
	}
	if stale {
		ui.PrintWarning(a.streams.Err, a.say(scaffold.SchemaPath+" is of another version of norn; norn schema prints this one's"))
	}
	if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err != nil && answers.Dockerfile == "" {
		ui.PrintWarning(a.streams.Err, a.say("there is no Dockerfile yet; norn deploy builds the image from it"))
	}
	if a.JSON {
		return a.encode(scaffolded{answers.App, path})
	}
	where := ""
	if shown := ui.DisplayPath(dir); shown != "." {
		where = " " + dir
		if !filepath.IsAbs(shown) {
			where = " ." + string(filepath.Separator) + shown
		}
	}
	_, err = fmt.Fprintf(a.streams.Out, a.say("wrote %s for %s, role %s\nnext: norn validate%s, norn forge%[4]s, then norn deploy%[4]s\n"), ui.DisplayPath(path), answers.App, answers.Role, where)
	return err
}

// roleIs makes a condition on the role.
func roleIs(role infraspec.Role) func(*scaffold.Answers) bool {
	return func(a *scaffold.Answers) bool { return a.Role == string(role) }
}
