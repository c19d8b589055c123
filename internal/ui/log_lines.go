package ui

import (
	"hash/fnv"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// LogStyle is how log lines are shown.
type LogStyle struct {
	JSON     bool
	NoPrefix bool
	Times    string           // utc, local, relative, or "" for none
	Match    []*regexp.Regexp // what is highlighted
}

// LogPrinter makes the output of log lines. On a terminal a pod has a colour and a short name, what a line would make the terminal do is
// left out but for colours, and lines of a low level are dim. Elsewhere lines are as they are.
type LogPrinter struct {
	style    LogStyle
	terminal bool
	renderer *lipgloss.Renderer
	dim, hit string // escapes; "" without colour

	mu    sync.Mutex
	short map[string]string // pods by the short name they have
}

// podColors are told apart on light and dark backgrounds alike.
var podColors = []lipgloss.AdaptiveColor{
	{Light: "25", Dark: "75"}, {Light: "28", Dark: "78"}, {Light: "90", Dark: "176"},
	{Light: "130", Dark: "214"}, {Light: "30", Dark: "80"}, {Light: "125", Dark: "211"},
}

// NewLogPrinter prints for w.
func NewLogPrinter(w io.Writer, style LogStyle) *LogPrinter {
	p := &LogPrinter{style: style, terminal: IsTerminal(w), renderer: newRenderer(w), short: map[string]string{}}
	if p.renderer.ColorProfile() != termenv.Ascii {
		p.dim, p.hit = "\x1b[2m", "\x1b[1;7m"
	}
	return p
}

// LogOrigin is where lines come from.
type LogOrigin struct {
	Pod, Container, Revision string
	Several                  bool // whether the pod has other containers
}

// Lines makes the output of one container's lines; it is used by one goroutine at a time.
func (p *LogPrinter) Lines(from LogOrigin) *LogLines {
	l := &LogLines{p: p}
	switch {
	case p.style.JSON:
		l.head = jsonHead(from)
	case !p.style.NoPrefix:
		l.head = []byte(p.prefix(from))
	}
	return l
}

// prefix names a pod, and its container where it has more than one.
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
	color := podColors[h.Sum32()%uint32(len(podColors))] //nolint:gosec // six colours fit
	return p.renderer.NewStyle().Foreground(color).Render(name) + " "
}

// generated is the end of the name of a pod that a controller has made (k8s.io/apimachinery/pkg/util/rand).
var generated = regexp.MustCompile(`^[bcdfghjklmnpqrstvwxz2456789]{5}$`)

// shortName is the generated end of a pod's name, as much of it as tells the pod from those seen before.
func (p *LogPrinter) shortName(pod string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(pod, "-")
	names := []string{pod}
	if n := len(parts); n > 2 && generated.MatchString(parts[n-1]) {
		names = []string{parts[n-1], parts[n-2] + "-" + parts[n-1], pod}
	}
	for _, name := range names {
		if has, taken := p.short[name]; !taken || has == pod {
			p.short[name] = pod
			return name
		}
	}
	return pod
}

// LogLines makes the output of one container's lines.
type LogLines struct {
	p      *LogPrinter
	head   []byte
	carry  []byte // the beginning of a character whose rest is in the next part
	styled bool   // whether the line being made in parts may have changed the colours
}

// Line appends a whole line to dst.
func (l *LogLines) Line(dst []byte, at time.Time, text []byte) []byte {
	if l.p.style.JSON {
		return appendJSONLine(dst, l.head, l.p.jsonTime(at), text)
	}
	dst = l.p.appendTime(append(dst, l.head...), at)
	if l.p.terminal || l.p.dim != "" {
		return append(l.p.appendStyled(dst, text), '\n')
	}
	return append(append(dst, text...), '\n')
}

// Begin appends the beginning of a line that comes in parts.
func (l *LogLines) Begin(dst []byte, at time.Time) []byte {
	l.carry, l.styled = l.carry[:0], false
	if l.p.style.JSON {
		return appendJSONHead(dst, l.head, l.p.jsonTime(at))
	}
	return l.p.appendTime(append(dst, l.head...), at)
}

// Part appends a part of such a line.
func (l *LogLines) Part(dst, text []byte) []byte {
	switch {
	case l.p.style.JSON:
		whole := append(l.carry, text...) //nolint:gocritic // the carry's place is reused
		n := len(whole) - incomplete(whole)
		dst = appendJSONText(dst, whole[:n])
		l.carry = append([]byte(nil), whole[n:]...)
		return dst
	case l.p.terminal:
		dst, l.styled = appendHarmless(dst, text, l.styled)
		return dst
	default:
		return append(dst, text...)
	}
}

// End appends its end.
func (l *LogLines) End(dst []byte) []byte {
	switch {
	case l.p.style.JSON:
		return append(appendJSONText(dst, l.carry), '"', '}', '\n')
	case l.styled:
		dst = append(dst, resetStyle...)
	}
	return append(dst, '\n')
}

const resetStyle = "\x1b[0m"

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

// appendAge appends how long ago something was, in five columns or more.
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
