package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"norn/internal/cli"
	"norn/internal/config"
	"norn/internal/status"
	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// stateMarks maps states to their marks. A state without a mark is printed without color.
var stateMarks = map[status.State]ui.Mark{
	status.Running: ui.Good, status.Scheduled: ui.Good, status.Callable: ui.Good,
	status.NotReady: ui.Bad, status.Invalid: ui.Bad,
	status.NotDeployed: ui.Warn, status.NotForged: ui.Dim, status.Stopped: ui.Warn, status.Suspended: ui.Warn,
	status.Terminating: ui.Dim, status.Canary: ui.Warn,
}

func printOverview(a *cli.App, apps []status.App, conf *config.Config, connected bool) {
	out := a.Streams.Out
	if len(apps) == 0 {
		_ = ui.PrintText(out, "no apps in "+conf.AppsDir)
		return
	}
	head := []string{"APP", "ROLE", "STATE", "READY", "VERSION", "AGE", "HOSTS", "DRIFT"}
	if !connected {
		head = []string{"APP", "ROLE", "HOSTS", "INFRASPEC"}
	}
	several := inSeveral(apps)
	if several {
		head = append(head, "NAMESPACE")
	}
	var rows [][]ui.Cell
	add := func(app status.App, row ...ui.Cell) {
		if several {
			row = append(row, ui.Cell{Text: app.Namespace})
		}
		rows = append(rows, row)
	}
	for _, app := range apps {
		hosts := ui.Cell{Text: strings.Join(app.Hosts, " ")}
		if !connected {
			add(app, ui.Cell{Text: app.Name}, ui.Cell{Text: cli.Dash(app.Role)}, hosts,
				ui.Marked(ui.DisplayPath(app.Path), ui.Dim))
			continue
		}
		drift := ui.Cell{}
		if len(app.Drift) > 0 {
			drift = ui.Marked("≠", ui.Warn)
		}
		add(app, append(processRow(app.Name, app.Workload), hosts, drift)...)
		for _, p := range app.Processes {
			add(app, append(processRow("  "+p.Name, p.Workload), ui.Cell{Text: strings.Join(p.Hosts, " ")}, ui.Cell{})...)
		}
	}
	ui.PrintTable(out, head, rows, "HOSTS", "AGE", "VERSION", "ROLE", "INFRASPEC", "NAMESPACE")
	for i, app := range apps {
		if i > 0 && apps[i-1].Name == app.Name && apps[i-1].Path != "" {
			before := ui.DisplayPath(apps[i-1].Path)
			both := fmt.Sprintf("%s and %s both define app %s", before, ui.DisplayPath(app.Path), app.Name)
			ui.PrintLine(out, ui.Bad, "✗", both)
		}
		if app.Problem != "" {
			ui.PrintLine(out, ui.Bad, "✗", ui.DisplayPath(app.Path)+" "+app.Problem)
		}
		for _, warning := range app.Warnings {
			ui.PrintLine(out, ui.Warn, "!", app.Name+": "+warning)
		}
		if len(app.Drift) > 0 {
			ui.PrintLine(out, ui.Warn, "≠", fmt.Sprintf("%s differs from its infraspec: %s", app.Name, shortened(app.Drift, 2)))
		}
	}
}

// inSeveral reports whether the apps are in several namespaces.
func inSeveral(apps []status.App) bool {
	first := ""
	for _, app := range apps {
		if first != "" && app.Namespace != "" && app.Namespace != first {
			return true
		}
		first = cmp.Or(first, app.Namespace)
	}
	return false
}

// shortened returns the first n elements of list, and the number of the others.
func shortened(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:n], ", "), len(list)-n)
}

func ready(app status.Workload) string {
	if app.Desired == 0 && app.Ready == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", app.Ready, app.Desired)
}

// processRow returns the cells that describe the workload of a process.
func processRow(name string, w status.Workload) []ui.Cell {
	return []ui.Cell{
		{Text: name}, {Text: cli.Dash(w.Role)}, ui.Marked(string(w.State), stateMarks[w.State]),
		{Text: ready(w)}, {Text: cli.Dash(w.Version)}, {Text: cli.Age(w.Since)},
	}
}

// printProcesses prints a line for each process, and why it is not ready.
func printProcesses(a *cli.App, d *status.Detail) {
	if len(d.Processes) == 0 {
		return
	}
	row := func(name string, w status.Workload, hosts []string, s *status.Schedule) []ui.Cell {
		return append(processRow(name, w), ui.Cell{Text: strings.Join(hosts, " ")}, ui.Cell{Text: scheduled(s)})
	}
	rows := [][]ui.Cell{row(infraspec.MainProcess, d.Workload, d.Hosts, d.Schedule)}
	for _, p := range d.Processes {
		rows = append(rows, row(p.Name, p.Workload, p.Hosts, p.Schedule))
	}
	head := []string{"PROCESS", "ROLE", "STATE", "READY", "VERSION", "AGE", "HOSTS", "SCHEDULE"}
	printPart(a, head, rows, "HOSTS", "AGE")
	for _, p := range d.Processes {
		if p.Reason != "" {
			ui.PrintLine(a.Streams.Out, ui.Bad, "✗", p.Name+": "+p.Reason)
		}
	}
}

// scheduled returns when a cron process runs, or "".
func scheduled(s *status.Schedule) string {
	if s == nil {
		return ""
	}
	text := s.Cron
	if s.Zone != "" {
		text += " (" + s.Zone + ")"
	}
	return text + "; " + lastRuns(s)
}

func printDetail(a *cli.App, d *status.Detail) {
	out := a.Streams.Out
	ui.PrintTitle(out, d.Name)
	var facts ui.Facts
	fact := func(name, text string) {
		if text != "" {
			facts.Add(name, text)
		}
	}
	fact("role", d.Role)
	fact("environment", d.Environment)
	if d.State != status.Unknown {
		state := string(d.State)
		if d.Desired > 0 {
			state += fmt.Sprintf(", %d of %d Pods available", d.Ready, d.Desired)
		}
		fact("state", state)
	}
	if d.Problem != "" {
		fact("problem", "the infraspec "+d.Problem)
	}
	fact("reason", d.Reason)
	fact("warning", strings.Join(d.Warnings, "\n"))
	fact("version", d.Version)
	fact("image", d.Image)
	fact("hosts", strings.Join(d.Hosts, ", "))
	fact("tunnel", d.Tunnel)
	fact("route", d.Route)
	fact("schedule", scheduled(d.Schedule))
	fact("secrets", secretNames(d.Secrets, d.Path != ""))
	fact("infraspec", ui.DisplayPath(d.Path))
	if len(d.Drift) > 0 {
		forge := "norn forge " + infraspec.BaseOf(d.Name, d.Environment) + infraspec.EnvironmentFlag(d.Environment)
		fact("drift", strings.Join(d.Drift, "\n")+a.Rename("\n"+forge+" applies the infraspec"))
	}
	facts.Print(out)
	printProcesses(a, d)
	printParts(a, d)
	for _, problem := range d.Unread {
		ui.PrintWarning(a.Streams.Err, problem)
	}
}

// lastRuns returns when a cron app last ran, and how the run ended.
func lastRuns(s *status.Schedule) string {
	text := "has not run yet"
	switch r := s.LastRun; {
	case r != nil:
		text = fmt.Sprintf("last run %s ago %s", cli.Age(&r.Started), verbs[r.Outcome])
	case s.Last != nil:
		text = fmt.Sprintf("last run %s ago", cli.Age(s.Last))
	}
	switch {
	case s.Success != nil:
		text += fmt.Sprintf(", last success %s ago", cli.Age(s.Success))
	case s.LastRun != nil || s.Last != nil:
		text += ", no success yet"
	}
	if s.Active > 0 {
		text += fmt.Sprintf(", %d running", s.Active)
	}
	return text
}

// verbs are the words for the outcomes of a run.
var verbs = map[status.Outcome]string{
	status.Succeeded: "succeeded", status.FailedRun: "failed", status.RunningRun: "is running",
	status.Waiting: "has not started",
}

// printParts prints volumes, Pods and revisions as tables.
func printParts(a *cli.App, d *status.Detail) {
	var rows [][]ui.Cell
	for _, v := range d.Volumes {
		mark := ui.Plain
		if v.State != "Bound" && v.State != "host" {
			mark = ui.Warn
		}
		rows = append(rows, []ui.Cell{
			{Text: v.Name}, {Text: cli.Dash(v.Size)}, ui.Marked(v.State, mark),
			{Text: cli.Dash(v.Mount)}, ui.Marked(v.Host, ui.Dim),
		})
	}
	printPart(a, []string{"VOLUME", "SIZE", "STATE", "MOUNTED AT", "HOST PATH"}, rows)

	rows = nil
	for _, p := range allPods(d) {
		mark := ui.Good
		if !p.Ready {
			mark = ui.Warn
		}
		revision := "-"
		if p.Revision > 0 {
			revision = fmt.Sprint(p.Revision)
		}
		rows = append(rows, []ui.Cell{
			{Text: p.Name}, ui.Marked(p.State, mark), {Text: yes(p.Ready)}, {Text: fmt.Sprint(p.Restarts)},
			{Text: cli.Age(&p.Started)}, {Text: revision},
		})
	}
	printPart(a, []string{"POD", "STATE", "READY", "RESTARTS", "AGE", "REVISION"}, rows)

	rows = nil
	for _, r := range d.Revisions {
		state, mark := "", ui.Plain
		switch {
		case r.Verified:
			state = "verified"
		case r.Failed != "":
			state, mark = "failed: "+string(r.Failed), ui.Bad
		}
		if r.Current {
			state = strings.TrimSpace("current " + state)
			if mark == ui.Plain {
				mark = ui.Good
			}
		}
		rows = append(rows, []ui.Cell{
			{Text: fmt.Sprint(r.Number)}, {Text: cli.Dash(r.Version)}, {Text: cli.Age(&r.Created)}, ui.Marked(state, mark),
		})
	}
	printPart(a, []string{"REVISION", "VERSION", "AGE", ""}, rows)
}

// allPods returns the Pods of all processes.
func allPods(d *status.Detail) []status.Pod {
	pods := slices.Clone(d.Pods)
	for _, p := range d.Processes {
		pods = append(pods, p.Pods...)
	}
	return pods
}

func printPart(a *cli.App, head []string, rows [][]ui.Cell, optional ...string) {
	if len(rows) == 0 {
		return
	}
	_ = ui.PrintText(a.Streams.Out, "\n")
	ui.PrintTable(a.Streams.Out, head, rows, optional...)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// secretNames returns the names of secrets: first the deployed ones, then the missing and the undeclared ones. If
// declared is false, the infraspec is unknown, and no name counts as undeclared.
func secretNames(list []status.Secret, declared bool) string {
	var good, missing, broken, extra []string
	for _, s := range list {
		switch {
		case declared && !s.Declared:
			extra = append(extra, s.Name)
		case s.Cluster != nil && !*s.Cluster && s.From != "":
			broken = append(broken, fmt.Sprintf("%s from %s", s.Name, s.From))
		case s.Cluster != nil && !*s.Cluster:
			missing = append(missing, s.Name)
		case s.From != "":
			good = append(good, fmt.Sprintf("%s from %s", s.Name, s.From))
		default:
			good = append(good, s.Name)
		}
	}
	var lines []string
	for _, l := range []struct {
		names []string
		note  string
	}{
		{good, ""},
		{missing, " (not in the cluster yet; norn deploy adds it)"},
		{broken, " (not in the cluster; norn does not manage this Secret)"},
		{extra, " (no longer in the infraspec)"},
	} {
		if len(l.names) > 0 {
			lines = append(lines, strings.Join(l.names, ", ")+l.note)
		}
	}
	return strings.Join(lines, "\n")
}
