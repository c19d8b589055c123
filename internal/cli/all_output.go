package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"norn/internal/batch"
	"norn/internal/ui"
)

// allOutput combines the output of norn's runs for several apps. Lines of progress begin with the app's name. A result,
// such as that of diff, is printed in one piece. With -o json, each object gets the key app.
type allOutput struct {
	app     *App
	command string
	width   int // of the longest name

	mu      sync.Mutex
	printed map[string]bool // the apps whose runs printed a result
}

func newAllOutput(a *App, command string, apps []batch.App) *allOutput {
	o := &allOutput{app: a, command: command, printed: map[string]bool{}}
	for _, app := range apps {
		o.width = max(o.width, len(app.Name))
	}
	return o
}

// of returns where the run for an app writes. end must be called after it.
func (o *allOutput) of(name string) (stdout, stderr io.Writer, end func()) {
	prefix := fmt.Sprintf("%-*s | ", o.width, name)
	progress := &lines{each: func(line []byte) {
		switch {
		case isSection(line): // those of several apps would be mixed
		case isAnnotation(line):
			o.write(o.app.Streams.Err, line)
		default:
			o.mu.Lock()
			defer o.mu.Unlock()
			ui.PrintPrefixed(o.app.Streams.Err, prefix, strings.TrimSuffix(string(line), "\n"))
		}
	}}
	if o.app.JSON {
		events := &lines{each: func(line []byte) {
			if bytes.Contains(line, []byte(`"outcome":"`+DiffersName+`"`)) {
				o.hasResult(name)
			}
			o.write(o.app.Streams.Out, withApp(name, line))
		}}
		return events, progress, func() { events.flush(); progress.flush() }
	}
	var result bytes.Buffer
	return &result, progress, func() {
		progress.flush()
		if result.Len() > 0 {
			o.hasResult(name)
			o.write(o.app.Streams.Out, append([]byte("# "+name+"\n"), result.Bytes()...))
		}
	}
}

func (o *allOutput) write(to io.Writer, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = to.Write(text) // the stream keeps the error
}

// hasResult records that an app's run printed a result.
func (o *allOutput) hasResult(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.printed[name] = true
}

// differs reports whether a run of norn diff --exit-code found a difference, and did not fail.
func (o *allOutput) differs(r batch.Result) bool {
	return o.command == diffCommand && r.Code == ExitFailed && o.printed[r.Name]
}

func (o *allOutput) fail(name string, err error) {
	o.write(o.app.Streams.Err, fmt.Appendf(nil, "%-*s | Error: %v\n", o.width, name, err))
}

// isSection reports whether a line begins or ends a section of a CI log.
func isSection(line []byte) bool {
	return bytes.HasPrefix(line, []byte("::group::")) || bytes.HasPrefix(line, []byte("::endgroup::")) ||
		bytes.Contains(line, []byte("section_start:")) || bytes.Contains(line, []byte("section_end:"))
}

// isAnnotation reports whether a line is a command of norn's to GitHub Actions. norn prints no such lines of others.
func isAnnotation(line []byte) bool {
	return bytes.HasPrefix(line, []byte("::error ")) || bytes.HasPrefix(line, []byte("::warning "))
}

// withApp adds the app's name to a line with a JSON object.
func withApp(name string, line []byte) []byte {
	rest, isObject := bytes.CutPrefix(line, []byte("{"))
	if !isObject || !json.Valid(line) {
		return line
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return line
	}
	separator := ","
	if bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
		separator = ""
	}
	return fmt.Appendf(nil, `{"app":%s%s%s`, quoted, separator, rest)
}

// conclude prints how the command ended for each app. It returns an error if it failed for one, and a *DiffersError if
// norn diff --exit-code found differences and nothing else.
func (o *allOutput) conclude(results []batch.Result) error {
	var failed []batch.Result
	differ := 0
	for _, r := range results {
		switch {
		case o.differs(r):
			differ++
		case r.Code != ExitDone || r.Skipped != "":
			failed = append(failed, r)
		}
	}
	if len(failed) > 0 || !o.app.Quiet {
		o.print(results)
	}
	switch {
	case len(failed) > 0:
		return &AllError{Command: o.command, Failed: len(failed), Apps: len(results), Code: codeOf(failed)}
	case differ > 0:
		return &DiffersError{Apps: fmt.Sprintf("%d of %s differ", differ, Plural(len(results), "app"))}
	case o.app.JSON:
		ui.PrintEnd(o.app.Streams.Out, ui.Outcome{Code: ExitDone, Name: exitName(ExitDone)})
	}
	return nil
}

// print prints how the command ended for each app.
func (o *allOutput) print(results []batch.Result) {
	if o.app.JSON {
		o.endSkipped(results)
		return
	}
	if len(results) == 0 {
		return
	}
	var rows [][]ui.Cell
	for _, r := range results {
		outcome := ui.Cell{Text: "done", Mark: ui.Good}
		switch {
		case r.Skipped != "":
			outcome = ui.Cell{Text: "skipped: " + r.Skipped, Mark: ui.Warn}
		case o.differs(r):
			outcome = ui.Cell{Text: DiffersName, Mark: ui.Warn}
		case r.Code != ExitDone:
			name := strings.ReplaceAll(exitName(r.Code), "-", " ")
			outcome = ui.Cell{Text: fmt.Sprintf("%s (exit code %d)", name, r.Code), Mark: ui.Bad}
		}
		took := ""
		if r.Took > 0 {
			took = r.Took.Round(time.Second / 10).String()
		}
		rows = append(rows, []ui.Cell{{Text: r.Name}, outcome, {Text: took}})
	}
	ui.PrintTable(o.app.Streams.Err, []string{"APP", "OUTCOME", "TOOK"}, rows, "TOOK")
}

// endSkipped prints the end event of each app for which the command did not run. The others have printed theirs.
func (o *allOutput) endSkipped(results []batch.Result) {
	for _, r := range results {
		if r.Skipped == "" {
			continue
		}
		var event bytes.Buffer
		ui.PrintEnd(&event, ui.Outcome{
			Err: fmt.Errorf("skipped: %s", r.Skipped), Code: ExitFailed, Name: exitName(ExitFailed),
		})
		o.write(o.app.Streams.Out, withApp(r.Name, event.Bytes()))
	}
}

// lines passes on whole lines.
type lines struct {
	each func(line []byte)
	rest []byte
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.each(append(bytes.Clone(line), '\n'))
		l.rest = rest
	}
}

// flush passes on a last line without its end.
func (l *lines) flush() {
	if len(l.rest) > 0 {
		l.each(append(l.rest, '\n'))
	}
	l.rest = nil
}
