// Package initcmd implements norn init.
package initcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"norn/internal/cli"
	"norn/internal/scaffold"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// New returns norn init.
func New(a *cli.App) *cobra.Command {
	var flags scaffold.Answers
	var from []string
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write an infraspec.yaml for a new app",
		Long: `Writes infraspec.yaml from what norn finds in the folder (its name, the Dockerfile and the port that it
exposes, the git remote) and from your answers. norn asks no question that a flag answers, and
none without a terminal. Also writes the JSON Schema for editors. An existing file is never overwritten.
A Procfile becomes the app's processes.

With --from, norn merges infraspecs of one image into one with processes, prints it, and writes nothing.
It names what the files do not agree on. A single file is merged with the others of its folder.

--from also reads a file of another tool: a compose.yaml, a Procfile, a fly.toml, or a deploy.yml of Kamal.
norn prints the infraspec, and names on standard error each setting that it could not carry over. Values
that may be secret are never printed: their names go under secrets.

--from deployment/NAME reads a Deployment of the namespace in the same way, with its Service, its Ingress
and its claims. It reads no Secret.`,
		Example: "  norn init\n  norn init ./shop --role webserver --port 8080 --healthcheck /healthz\n" +
			"  norn init --from infraspec.yaml,infraspec.worker.yaml >new.yaml\n" +
			"  norn init --from deployment/shop --namespace shops >infraspec.yaml",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(from) > 0 {
				return fold(a, cmd, args, from)
			}
			dir, err := filepath.Abs(cli.Argument(args, 0))
			if err != nil {
				return fmt.Errorf("find the app's folder: %w", err)
			}
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return cli.Usagef("%s is not a folder", dir)
			}
			if err := scaffold.Exists(dir); err != nil {
				return err
			}
			answers := scaffold.Detect(cmd.Context(), dir)
			if err := fill(a, cmd, &answers, flags); err != nil {
				return err
			}
			return write(a, dir, answers)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.App, "app", "", "name of the app (default: the folder's name)")
	f.StringVar(&flags.Role, "role", "", "role: webserver, worker, cron or function (default webserver)")
	f.IntVar(&flags.Port, "port", 0, "port that the container listens on (default: the port that the Dockerfile exposes)")
	f.StringVar(&flags.Healthcheck, "healthcheck", "", "path of the health check, such as /healthz")
	f.StringVar(&flags.Internal, "internal", "", "name of the Service (default: the app's name)")
	f.StringVar(&flags.External, "external", "", "public host name in the Cloudflare tunnel")
	f.StringVar(&flags.Schedule, "schedule", "", "schedule of a cron app, in cron syntax")
	f.StringVar(&flags.Command, "command", "", "command of a cron app")
	f.BoolVar(&flags.FromRemote, "from-remote", false, "deploy from the git remote instead of the folder")
	f.StringSliceVar(&from, "from", nil, "infraspecs to merge, one file of another tool, or deployment/NAME")
	return cmd
}

// fold prints the infraspec that several, or the file of another tool, become.
func fold(a *cli.App, cmd *cobra.Command, args, from []string) error {
	others := len(args) > 0
	cmd.Flags().Visit(func(f *pflag.Flag) { others = others || f.Name != "from" && cmd.LocalFlags().Lookup(f.Name) == f })
	if others || a.JSON {
		return cli.Usagef("--from prints YAML, and cannot be combined with a folder, the answers or -o json")
	}
	text, notes, err := convert(a, cmd, from)
	if err != nil {
		return err
	}
	for _, note := range notes {
		a.Warnf("%s", note)
	}
	return ui.PrintText(a.Streams.Out, text)
}

// convert merges infraspecs, or converts the file of another tool or a Deployment.
func convert(a *cli.App, cmd *cobra.Command, from []string) (text string, notes []string, err error) {
	for _, path := range from {
		name := scaffold.DeploymentIn(path)
		format := scaffold.Infraspec
		if name == "" {
			format = scaffold.FormatOf(path)
		}
		switch {
		case name == "" && format == scaffold.Infraspec:
		case len(from) > 1:
			return "", nil, cli.Usagef("--from accepts one file of another tool or one Deployment, got %d", len(from))
		case name != "":
			return running(a, cmd, name)
		default:
			return scaffold.Convert(cmd.Context(), path, format)
		}
	}
	return scaffold.Fold(from)
}

// running converts a Deployment in the cluster.
func running(a *cli.App, cmd *cobra.Command, name string) (text string, notes []string, err error) {
	s, err := a.Connect(cmd.Context(), cmd, cli.Purpose{Action: "init --from deployment/" + name})
	if err != nil {
		return "", nil, err
	}
	in, err := scaffold.ReadDeployment(cmd.Context(), s.Client, s.Conf.Namespace, name)
	if err != nil {
		return "", nil, err
	}
	return scaffold.FromDeployment(in)
}

// fill takes the answers from flags, and asks for the others on a terminal.
func fill(a *cli.App, cmd *cobra.Command, answers *scaffold.Answers, flags scaffold.Answers) error {
	prompt, asking := ui.NewPrompt(a.Streams)
	for _, q := range questions(flags) {
		switch given := cmd.Flags().Changed(q.flag); {
		case !q.applies(answers):
			if given {
				return cli.Usagef("--%s does not apply to role %s", q.flag, answers.Role)
			}
		case given:
			q.take(answers)
			if value := cmd.Flags().Lookup(q.flag).Value.String(); q.needed != "" && (value == "" || value == "0") {
				return cli.Usagef("--%s is empty: %s", q.flag, q.needed)
			}
			if problem := scaffold.Problem(q.fillLater(*answers)); problem != "" {
				return cli.Usagef("--%s: %s", q.flag, problem)
			}
		case asking && q.text != "":
			if err := ask(cmd.Context(), prompt, q, answers); err != nil {
				if errors.Is(err, io.EOF) {
					return errors.New("unexpected end of input; nothing was written")
				}
				return fmt.Errorf("nothing was written: %w", err)
			}
		case q.needed != "" && q.fallback(answers) == "":
			return cli.Usagef("--%s is required: %s", q.flag, q.needed)
		default:
			if err := q.set(answers, q.fallback(answers)); err != nil {
				return &cli.UsageError{Err: err}
			}
		}
	}
	if answers.FromRemote && answers.Remote == "" {
		return cli.Usagef("--from-remote: the git repository has no remote named origin")
	}
	if problem := scaffold.Problem(*answers); problem != "" {
		return cli.Usagef("%s", problem)
	}
	return nil
}

// ask repeats a question until the answer makes a valid infraspec. An empty answer means the default, "-" means none,
// and "?" prints help.
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
		case "?":
			prompt.Say(q.help)
			continue
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
		if problem := scaffold.Problem(q.fillLater(next)); err == nil && problem != "" {
			err = errors.New(problem)
		}
		if err == nil {
			*answers = next
			return nil
		}
		prompt.Say(err.Error())
	}
}

// Written is the JSON output: the files that norn init wrote.
type Written struct {
	App  string `json:"app"`
	Path string `json:"path"`
}

func write(a *cli.App, dir string, answers scaffold.Answers) error {
	path, stale, err := scaffold.Write(dir, answers)
	if err != nil {
		return err
	}
	if stale {
		a.Warnf("%s is from another version of norn; norn schema prints the current schema", scaffold.SchemaPath)
	}
	if _, err := os.Stat(filepath.Join(dir, "Dockerfile")); err != nil && answers.Dockerfile == "" {
		a.Warnf("no Dockerfile found; norn deploy needs one to build the image")
	}
	if a.JSON {
		return a.Encode(Written{answers.App, path})
	}
	where := ""
	if shown := ui.DisplayPath(dir); shown != "." {
		where = " " + dir
		if !filepath.IsAbs(shown) {
			where = " ." + string(filepath.Separator) + shown
		}
	}
	text := a.Rename("wrote %s for %s, role %s\n" +
		"next: norn validate%s, norn secrets init%[4]s if the app has secrets, git commit, then norn deploy%[4]s\n")
	return ui.PrintText(a.Streams.Out, fmt.Sprintf(text, ui.DisplayPath(path), answers.App, answers.Role, where))
}

// roleIs returns a condition on the role.
func roleIs(role infraspec.Role) func(*scaffold.Answers) bool {
	return func(a *scaffold.Answers) bool { return a.Role == string(role) }
}
