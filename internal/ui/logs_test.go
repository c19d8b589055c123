package ui

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"norn/internal/redact"
)

var logTime = time.Date(2026, 11, 24, 8, 43, 37, 5, time.UTC)

func TestLogLineInAPipe(t *testing.T) {
	for name, c := range map[string]struct {
		style LogStyle
		from  LogOrigin
		text  string
		want  string
	}{
		"plain": {
			from: LogOrigin{Pod: "shop-1-x2x4z", Container: "shop"}, text: "a\x1b[31m\tb\r",
			want: "shop-1-x2x4z a\x1b[31m\tb\r\n",
		},
		"sidecar": {
			from: LogOrigin{Pod: "shop", Container: "proxy", Several: true}, text: "a",
			want: "shop/proxy a\n",
		},
		"no prefix": {style: LogStyle{NoPrefix: true}, text: "a", want: "a\n"},
		"timestamps": {
			style: LogStyle{NoPrefix: true, Times: "utc"}, text: "a",
			want: "2026-11-24T08:43:37.000000005Z a\n",
		},
		"json": {
			style: LogStyle{JSON: true}, from: LogOrigin{Pod: "p", Container: "c", Revision: "7"},
			text: "a\"\x01\xff\u2028",
			want: `{"time":"2026-11-24T08:43:37.000000005Z","pod":"p","container":"c","revision":7,` +
				`"message":"a\"\u0001\ufffd\u2028"}` + "\n",
		},
		"fields": {
			style: LogStyle{JSON: true}, from: LogOrigin{Pod: "p", Container: "c"}, text: ` {"n": 1}`,
			want: `{"time":"2026-11-24T08:43:37.000000005Z","pod":"p","container":"c",` +
				`"message":" {\"n\": 1}","fields":{"n": 1}}` + "\n",
		},
	} {
		p := NewLogPrinter(&bytes.Buffer{}, c.style)
		if got := string(p.Lines(c.from).Line(nil, logTime, []byte(c.text))); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// A line in parts has the same format as a whole line, wherever the parts are split.
func TestLogLineInParts(t *testing.T) {
	const text = "grüße, \"世界\" \xff\x01"
	for _, style := range []LogStyle{{}, {JSON: true}} {
		l := NewLogPrinter(&bytes.Buffer{}, style).Lines(LogOrigin{Pod: "p", Container: "c"})
		want := string(l.Line(nil, logTime, []byte(text)))
		for i := range len(text) {
			got := l.Begin(nil, logTime)
			got = l.Part(got, []byte(text[:i]))
			got = l.Part(got, []byte(text[i:]))
			if got = l.End(got); string(got) != want {
				t.Errorf("cut at %d: got %q, want %q", i, got, want)
			}
		}
	}
	l := terminalPrinter(LogStyle{NoPrefix: true}).Lines(LogOrigin{})
	for i := range len(text) {
		got := l.Part(l.Part(l.Begin(nil, logTime), []byte(text[:i])), []byte(text[i:]))
		if got = l.End(got); string(got) != "grüße, \"世界\" \ufffd \n" {
			t.Errorf("cut at %d on a terminal: got %q", i, got)
		}
	}
}

func FuzzLogJSON(f *testing.F) {
	f.Add([]byte(`{"a":"b"}`))
	f.Add([]byte("\xf0\x9f\x98\x00 \"\\"))
	f.Fuzz(func(t *testing.T, text []byte) {
		line := NewLogPrinter(&bytes.Buffer{}, LogStyle{JSON: true}).Lines(LogOrigin{Pod: "p"}).Line(nil, logTime, text)
		var v struct{ Message string }
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want := strings.ToValidUTF8(string(text), "\ufffd"); len(v.Message) < len(want) {
			t.Fatalf("%q became %q", text, v.Message)
		}
	})
}

// terminalPrinter returns a printer for a terminal with colors.
func terminalPrinter(style LogStyle) *LogPrinter {
	p := NewLogPrinter(&bytes.Buffer{}, style)
	p.terminal, p.dim, p.highlight = true, "\x1b[2m", "\x1b[1;7m"
	p.canvas.SetColorProfile(termenv.ANSI256)
	return p
}

func TestLogLineOnATerminal(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":     {"a\tb", "a\tb"},
		"escapes":   {"a\x1b[2J\x07b\r", "a [2J b"},
		"bytes":     {"a\x9b2Jb\xff", "a\ufffd2Jb\ufffd"},
		"C1":        {"a\u009b2Jb", "a 2Jb"},
		"direction": {"a\u202eb\u2066c\u061cd", "a b cd"},
		"invisible": {"a\u2060b\ufeff", "a b "},
		"words":     {"សួស្តី\u200bពិភពលោក Schiff\u00adfahrt \u200fשלום", "សួស្តីពិភពលោក Schifffahrt שלום"},
		"scripts":   {"می\u200cخواهم 👩\u200d🚀 ❤\ufe0f", "می\u200cخواهم 👩\u200d🚀 ❤\ufe0f"},
		"colors":    {"\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m\x1b[0m"},
		"dim":       {`{"level":"DEBUG"}`, "\x1b[2m{\"level\":\"DEBUG\"}\x1b[0m"},
		"by number": {`{"level": 20, "a":1}`, "\x1b[2m{\"level\": 20, \"a\":1}\x1b[0m"},
		"info":      {`{"level":"info"}`, `{"level":"info"}`},
		"matches":   {"an error, error", "an \x1b[0m\x1b[1;7merror\x1b[0m, \x1b[0m\x1b[1;7merror\x1b[0m"},
	} {
		match := []*regexp.Regexp{regexp.MustCompile("err"), regexp.MustCompile("error")}
		l := terminalPrinter(LogStyle{NoPrefix: true, Match: match}).Lines(LogOrigin{})
		if got := string(l.Line(nil, logTime, []byte(c.text))); got != c.want+"\n" {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// Short names are unique, and a pod keeps its short name.
func TestShortNames(t *testing.T) {
	p := terminalPrinter(LogStyle{})
	for _, c := range [][2]string{
		{"shop-5697b5d46-x2x4z", "x2x4z"},
		{"shop-7c7f5d46b-x2x4z", "7c7f5d46b-x2x4z"},
		{"shop-5697b5d46-x2x4z", "x2x4z"},
		{"nightly-29312640-bcd4f", "bcd4f"},
		{"by-hand", "by-hand"},
		{"my-own-thing", "my-own-thing"},
	} {
		if got := p.shortName(c[0]); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

// A value is redacted before its line is matched, styled or encoded, wherever a long line is split.
func TestLogLinesRedacted(t *testing.T) {
	const value = `sk_live_4f9a"8b7c6d5e`
	r := redact.New()
	r.Hide("API_KEY", value)
	r.Hide("PIN", "123456")
	text := `{"key": "sk_live_4f9a\"8b7c6d5e", "pin": 123456}`
	for name, c := range map[string]struct {
		style LogStyle
		want  string
	}{
		"highlight": {
			style: LogStyle{NoPrefix: true, Match: []*regexp.Regexp{regexp.MustCompile("live|redacted|8b7")}},
			want: `{"key": "[` + "\x1b[0m\x1b[1;7mredacted\x1b[0m" + `:API_KEY]", "pin": [` +
				"\x1b[0m\x1b[1;7mredacted\x1b[0m" + ":PIN]}\n",
		},
		"json": { // a number that is redacted leaves no JSON for the fields
			style: LogStyle{JSON: true},
			want: `{"time":"2026-11-24T08:43:37.000000005Z","pod":"p","container":"c",` +
				`"message":"{\"key\": \"[redacted:API_KEY]\", \"pin\": [redacted:PIN]}"}` + "\n",
		},
	} {
		t.Setenv("CLICOLOR_FORCE", "1")
		p := NewLogPrinter(r.Writer(&bytes.Buffer{}), c.style)
		l := p.Lines(LogOrigin{Pod: "p", Container: "c"})
		if got := string(l.Line(nil, logTime, []byte(text))); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		for cut := range text {
			out := l.Begin(nil, logTime)
			out = l.Part(l.Part(out, []byte(text[:cut])), []byte(text[cut:]))
			if got := string(l.End(out)); strings.Contains(got, "live") || !strings.Contains(got, "[redacted:API_KEY]") {
				t.Errorf("%s, cut at %d: got %q", name, cut, got)
			}
		}
	}
}
