package ui

import (
	"hash/fnv"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/muesli/termenv"

	"norn/internal/redact"
)

// LogStyle selects how log lines are printed.
type LogStyle struct {
	JSON     bool
	NoPrefix bool
	Times    string           // utc, local, relative, or "" for none
	Match    []*regexp.Regexp // parts to highlight
}

// LogPrinter formats log lines. It redacts them before anything else, because a value that is cut by a highlight or
// encoded in JSON is no longer recognized. On a terminal, it gives each Pod a color and a short name, removes control
// characters other than color escapes, and dims lines of a low level. Elsewhere, it prints lines unchanged.
type LogPrinter struct {
	out            io.Writer
	style          LogStyle
	terminal       bool
	canvas         canvas
	dim, highlight string // escapes; "" without colors

	mu         sync.Mutex
	shortNames map[string]string // pods by short name
}

// NewLogPrinter returns a printer for lines that are written to w.
func NewLogPrinter(w io.Writer, style LogStyle) *LogPrinter {
	p := &LogPrinter{
		out: w, style: style, terminal: hasColumns(w), canvas: newCanvas(w), shortNames: map[string]string{},
	}
	if p.canvas.ColorProfile() != termenv.Ascii {
		p.dim, p.highlight = "\x1b[2m", "\x1b[1;7m"
	}
	return p
}

// Out returns the writer for formatted lines. It does not redact them again, so that a line of -o json stays JSON
// whatever the values are.
func (p *LogPrinter) Out() io.Writer {
	if w, ok := p.out.(*redact.Writer); ok {
		return w.Unwrap()
	}
	return p.out
}

// LogOrigin is the container that lines come from.
type LogOrigin struct {
	Pod, Container, Revision string
	Several                  bool // the pod has other containers
}

// Lines returns the formatter of one container's lines.
func (p *LogPrinter) Lines(from LogOrigin) *LogLines {
	l := &LogLines{p: p, secrets: redactLines(p.out)}
	switch {
	case p.style.JSON:
		l.head = jsonHead(from)
	case !p.style.NoPrefix:
		l.head = []byte(p.prefix(from))
	}
	return l
}

// LogLines formats one container's lines. It must be used by one goroutine at a time. Its methods append to dst.
type LogLines struct {
	p       *LogPrinter
	secrets *redact.Lines
	head    []byte
	carry   []byte // an incomplete character at the end of the last part
	styled  bool   // the current line may have changed the colors
}

// Line appends a whole line.
func (l *LogLines) Line(dst []byte, at time.Time, text []byte) []byte {
	text = l.secrets.Line(text)
	if l.p.style.JSON {
		return appendJSONLine(dst, l.head, l.p.jsonTime(at), text)
	}
	dst = l.p.appendTime(append(dst, l.head...), at)
	if l.p.terminal || l.p.dim != "" {
		return append(l.p.appendStyled(dst, text), '\n')
	}
	return append(append(dst, text...), '\n')
}

// Begin appends the beginning of a line that arrives in parts.
func (l *LogLines) Begin(dst []byte, at time.Time) []byte {
	l.carry, l.styled = l.carry[:0], false
	if l.p.style.JSON {
		return appendJSONHead(dst, l.head, l.p.jsonTime(at))
	}
	return l.p.appendTime(append(dst, l.head...), at)
}

// Part appends a part of the line that Begin began. The end of the part may come later, because it may be the
// beginning of a secret value.
func (l *LogLines) Part(dst, text []byte) []byte { return l.part(dst, l.secrets.Part(text)) }

// part appends redacted text.
func (l *LogLines) part(dst, text []byte) []byte {
	if !l.p.style.JSON && !l.p.terminal {
		return append(dst, text...)
	}
	whole := append(l.carry, text...) //nolint:gocritic // reuses the memory of carry
	n := len(whole) - incompleteSuffix(whole)
	dst = l.whole(dst, whole[:n])
	l.carry = append([]byte(nil), whole[n:]...)
	return dst
}

// whole appends whole characters of redacted text.
func (l *LogLines) whole(dst, text []byte) []byte {
	if l.p.style.JSON {
		return appendJSONPart(dst, text)
	}
	dst, l.styled = appendSanitized(dst, text, l.styled)
	return dst
}

// End appends the end of the line that Begin began.
func (l *LogLines) End(dst []byte) []byte {
	dst = l.whole(l.part(dst, l.secrets.Line(nil)), l.carry)
	switch {
	case l.p.style.JSON:
		return append(dst, '"', '}', '\n')
	case l.styled:
		dst = append(dst, resetStyle...)
	}
	return append(dst, '\n')
}

func (p *LogPrinter) appendTime(dst []byte, at time.Time) []byte {
	if p.style.Times == "" {
		return dst
	}
	if p.dim != "" {
		dst = append(dst, p.dim...)
	}
	switch p.style.Times {
	case "local":
		dst = at.Local().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	case "relative":
		dst = appendAge(dst, time.Since(at))
	default:
		dst = at.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z07:00")
	}
	if p.dim != "" {
		dst = append(dst, resetStyle...)
	}
	return append(dst, ' ')
}

// appendAge appends a negative duration, padded to five columns.
func appendAge(dst []byte, age time.Duration) []byte {
	age = max(age, 0)
	text := age.Truncate(time.Second).String()
	switch {
	case age < 10*time.Second:
		text = age.Truncate(100 * time.Millisecond).String()
	case age >= time.Hour:
		text = strings.TrimSuffix(age.Truncate(time.Minute).String(), "0s")
	}
	for range 5 - len(text) {
		dst = append(dst, ' ')
	}
	return append(append(dst, '-'), text...)
}

func (p *LogPrinter) jsonTime(at time.Time) time.Time {
	if p.style.Times == "local" {
		return at.Local()
	}
	return at.UTC()
}

// podColors are distinguishable on any background.
var podColors = []color{
	{light: "25", dark: "75", neutral: "32"}, {light: "28", dark: "78", neutral: "28"},
	{light: "90", dark: "176", neutral: "133"}, {light: "130", dark: "214", neutral: "130"},
	{light: "30", dark: "80", neutral: "30"}, {light: "125", dark: "211", neutral: "162"},
}

// prefix returns the name of a line's Pod, and its container if the Pod has several. The color depends on the Pod's
// name.
func (p *LogPrinter) prefix(from LogOrigin) string {
	name := from.Pod
	if p.terminal {
		name = p.shortName(from.Pod)
	}
	if from.Several {
		name += "/" + from.Container
	}
	if p.dim == "" {
		return name + " "
	}
	h := fnv.New32a()
	_, _ = io.WriteString(h, from.Pod)
	tint := podColors[h.Sum32()%uint32(len(podColors))] //nolint:gosec // the number of colors fits
	return p.canvas.style(tint).Render(name) + " "
}

// generatedSuffix matches the last part of a pod name that a controller generated (k8s.io/apimachinery/pkg/util/rand).
var generatedSuffix = regexp.MustCompile(`^[bcdfghjklmnpqrstvwxz2456789]{5}$`)

// shortName returns the shortest end of a Pod's generated name that is not yet another Pod's short name. A Pod keeps
// its short name.
func (p *LogPrinter) shortName(pod string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(pod, "-")
	names := []string{pod}
	if n := len(parts); n > 2 && generatedSuffix.MatchString(parts[n-1]) {
		names = []string{parts[n-1], parts[n-2] + "-" + parts[n-1], pod}
	}
	for _, name := range names {
		if owner, taken := p.shortNames[name]; !taken || owner == pod {
			p.shortNames[name] = pod
			return name
		}
	}
	return pod
}
