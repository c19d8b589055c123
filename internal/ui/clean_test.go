package ui

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"norn/pkg/pipeline"
)

// hostile contains text that a terminal reacts to: a title, a control sequence in both encodings, a byte that is not
// UTF-8, a bell, a right-to-left override, an isolate, a zero-width space and a line separator.
const hostile = "a\x1b]0;title\x07b\x1b[2J\u009b2J\x9b\u202ec\u2066d\u200be\u2028f\r::error::g"

// raw returns the characters of text to which a terminal reacts.
func raw(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && isUnsafe(r) {
			return r
		}
		return -1
	}, text)
}

// norn prints no character that a terminal reacts to.
func TestPrintsAreClean(t *testing.T) {
	finding := Finding{
		File: hostile, Line: 1, Column: 1, EndColumn: 2, Severity: "error", Message: hostile, Source: hostile,
	}
	for name, print := range map[string]func(w *bytes.Buffer){
		"error":      func(w *bytes.Buffer) { PrintError(w, errors.New(hostile)) },
		"interrupt":  func(w *bytes.Buffer) { PrintInterrupted(w, errors.New(hostile), nil) },
		"warning":    func(w *bytes.Buffer) { PrintWarning(w, hostile) },
		"fact":       func(w *bytes.Buffer) { PrintFact(w, "name", hostile) },
		"line":       func(w *bytes.Buffer) { PrintLine(w, Bad, "x", hostile) },
		"title":      func(w *bytes.Buffer) { PrintTitle(w, hostile) },
		"text":       func(w *bytes.Buffer) { _ = PrintText(w, hostile) },
		"diff":       func(w *bytes.Buffer) { PrintDiff(w, hostile, "+"+hostile+"\n") },
		"check":      func(w *bytes.Buffer) { NewChecks(w, 9).Print(Check{Detail: []string{hostile}, Hint: hostile}) },
		"table":      func(w *bytes.Buffer) { PrintTable(w, []string{"A"}, [][]Cell{{Marked(hostile, Bad)}}) },
		"finding":    func(w *bytes.Buffer) { PrintFinding(w, finding) },
		"annotation": func(w *bytes.Buffer) { Annotate(w, finding) },
		"prompt":     func(w *bytes.Buffer) { (&Prompt{out: w}).Say(hostile) },
		"question": func(w *bytes.Buffer) {
			_, _ = (&Prompt{in: bufio.NewReader(strings.NewReader("y\n")), out: w}).Ask(t.Context(), hostile)
		},
		"JSON": func(w *bytes.Buffer) { _ = PrintJSON(w, map[string]string{hostile: hostile}) },
		"progress": func(w *bytes.Buffer) {
			r := newLineProgress(w, noCI, false)
			r.Begin(hostile)
			r.Report(pipeline.Event{Kind: pipeline.Output, Step: hostile, Line: hostile})
			r.Report(pipeline.Event{Kind: pipeline.Warned, Step: hostile, Line: hostile})
			r.Report(pipeline.Event{Kind: pipeline.Waiting, Step: hostile, Line: hostile, Pods: []pipeline.Pod{{Name: hostile}}})
			r.Report(pipeline.Event{Kind: pipeline.Ended, Step: hostile, Result: pipeline.Result{Detail: hostile}})
			r.End(Outcome{})
		},
	} {
		var out bytes.Buffer
		print(&out)
		if got := raw(out.String()); got != "" || !strings.Contains(out.String(), "title") {
			t.Errorf("%s: %q has %q", name, out.String(), got)
		}
	}
}

// JSON means the same with escapes for the characters that a terminal reacts to.
func TestJSONKeepsUnsafeCharacters(t *testing.T) {
	const text = "a\x1b\x7f\u009b\u202e\U000e0041\u200d\n"
	var out bytes.Buffer
	if err := PrintJSON(&out, []string{text}); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got[0] != text {
		t.Errorf("%q: got %q, %v", out.String(), got, err)
	}
	want := `["a\u001b\u007f\u009b\u202e\udb40\udc41` + "\u200d" + `\n"]` + "\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// In a CI job, norn prints no text from elsewhere as a command.
func TestCommandsAreEscaped(t *testing.T) {
	for _, variable := range []string{"CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "TEAMCITY_VERSION"} {
		t.Setenv(variable, "")
	}
	for line, want := range map[string]string{
		"::set-output name=x::y":             "| ::set-output name=x::y",
		" \t::stop-commands::x":              "|   ::stop-commands::x",
		"\u00a0\u2003\u3000\u1680::debug::":  "| \u00a0\u2003\u3000\u1680::debug::",
		"\ufeff\u200b\u00ad::debug::":        "|  ::debug::",
		"\u200d:\ufe0f:debug::":              "| \u200d:\ufe0f:debug::",
		"\x85\u0085::debug::":                "\ufffd ::debug::", // shows a character first
		"a ::debug:: b":                      "a ::debug:: b",
		"##[add-mask]x":                      "## [add-mask]x",
		"a ##vso[task.setvariable]x":         "a ## vso[task.setvariable]x",
		"##teamcity[publishArtifacts 'x']":   "## teamcity[publishArtifacts 'x']",
		"#\u200d#\ufe0f[debug]":              "## [debug]",
		"#\u200b#\u200e[debug]":              "## [debug]",
		"x\x1b[0Ksection_start:1:a\r\x1b[0K": "x [0Ksection_start:1:a  [0K",
	} {
		for variable, value := range map[string]string{
			"GITHUB_ACTIONS": "true", "TF_BUILD": "True", "TEAMCITY_VERSION": "2026.1", "GITLAB_CI": "true", "CI": "1",
		} {
			t.Setenv(variable, value)
			if got := sanitize(line); got != want {
				t.Errorf("%s, %q: got %q, want %q", variable, line, got, want)
			}
			t.Setenv(variable, "")
		}
		if got := sanitize(line); got != clean(line) {
			t.Errorf("%q: got %q outside of CI", line, got)
		}
	}
}

// Every print escapes commands.
func TestPrintsEscapeCommands(t *testing.T) {
	t.Setenv("GITHUB_ACTIONS", "true")
	const command = "\u00a0::set-output name=x::y"
	var b bytes.Buffer
	r := newLineProgress(&b, github, false)
	r.Begin("deploy ##[add-mask]a")
	r.Report(pipeline.Event{Kind: pipeline.Waiting, Step: "rollout", Line: "##[add-mask]b"})
	r.Report(pipeline.Event{
		Kind: pipeline.Ended, Step: "rollout", Result: pipeline.Result{State: pipeline.Done, Detail: "##[add-mask]c"},
	})
	r.End(Outcome{})
	PrintError(&b, errors.New("git: no\n"+command+"\n##[add-mask]d"))
	PrintWarning(&b, "##[add-mask]e")
	PrintDiff(&b, command, " a: |\n"+command+"\n")
	PrintTitle(&b, command)
	_ = PrintText(&b, command+"\n"+command)
	PrintTable(&b, []string{"A"}, [][]Cell{{Marked(command, Bad)}})
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "##[") || strings.HasPrefix(line, "::s") {
			t.Errorf("%q", line)
		}
	}
}

// JSON means the same with escapes for what a CI system would take for a command, in results and in logs.
func TestJSONHasNoCommands(t *testing.T) {
	const text = "a ##vso[task.x]##[b]###teamcity[c] #\u200d#[d] # e"
	var result bytes.Buffer
	if err := PrintJSON(&result, map[string]string{"message": text}); err != nil {
		t.Fatal(err)
	}
	lines := NewLogPrinter(&bytes.Buffer{}, LogStyle{JSON: true}).Lines(LogOrigin{Pod: "p"})
	parts := lines.Begin(nil, logTime)
	for _, c := range text {
		parts = lines.Part(parts, []byte(string(c)))
	}
	for name, got := range map[string][]byte{
		"result": result.Bytes(),
		"line":   lines.Line(nil, logTime, []byte(text)),
		"parts":  lines.End(parts),
		"fields": lines.Line(nil, logTime, []byte(`{"message":"`+text+`"}`)),
	} {
		if hashCommand.Match(got) {
			t.Errorf("%s has a command: %q", name, got)
		}
		var object struct {
			Message string
			Fields  struct{ Message string }
		}
		err := json.Unmarshal(got, &object)
		if name == "fields" {
			object.Message = object.Fields.Message
		}
		if err != nil || object.Message != text {
			t.Errorf("%s: %q: %v", name, got, err)
		}
	}
}

// An annotation keeps its lines, and nothing in it ends it.
func TestAnnotation(t *testing.T) {
	t.Setenv("GITHUB_WORKSPACE", "")
	var b bytes.Buffer
	Annotate(&b, Finding{
		File: "a\x1b[2J,b:c%\n\u202e.yaml", Severity: "error", Rule: "syntax", Message: "x%\r\n::y\x1b\u202e",
	})
	want := "::error file=a [2J%2Cb%3Ac%25  .yaml,title=norn syntax::x%25%0A::y  \n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
