package main

import (
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// shot is the content of a terminal.
type shot struct{ lines [][]run }

// run is a part of a line with one style.
type run struct {
	at    int // its first column
	text  string
	width int
	style uv.Style
}

// shoot copies a screen without the empty lines at its end.
func shoot(screen *vt.Emulator) shot {
	var s shot
	last := 0
	for y := range screen.Height() {
		line := lineAt(screen, y)
		if s.lines = append(s.lines, line); len(line) > 0 {
			last = len(s.lines)
		}
	}
	s.lines = s.lines[:last]
	return s
}

func lineAt(screen *vt.Emulator, y int) []run {
	var line []run
	for x := 0; x < screen.Width(); x++ {
		c := screen.CellAt(x, y)
		if c == nil || c.Width == 0 {
			continue
		}
		if n := len(line); n > 0 && line[n-1].style.Equal(&c.Style) {
			line[n-1].text += c.Content
			line[n-1].width += c.Width
		} else {
			line = append(line, run{x, c.Content, c.Width, c.Style})
		}
	}
	if n := len(line); n > 0 && strings.TrimSpace(line[n-1].text) == "" {
		line = line[:n-1]
	}
	return line
}

// text returns the text of the screen, one line for each row.
func (s shot) text() string {
	var b strings.Builder
	for _, line := range s.lines {
		column := 0
		for _, r := range line {
			b.WriteString(strings.Repeat(" ", r.at-column) + r.text)
			column = r.at + r.width
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// firstColors returns the number of different colors at the beginning of lines.
func (s shot) firstColors() int {
	colors := map[string]bool{}
	for _, line := range s.lines {
		if len(line) > 0 && line[0].style.Fg != nil {
			colors[fmt.Sprint(line[0].style.Fg)] = true
		}
	}
	return len(colors)
}

// lightOf maps each of norn's colors for a dark background to norn's color for a light background (internal/ui).
var lightOf = map[ansi.IndexedColor]ansi.IndexedColor{
	42: 28, 203: 160, 214: 130, 245: 243, // good, bad, warn, dim
	75: 25, 78: 28, 176: 90, 80: 30, 211: 125, // Pods; 214 is above
}

// Measures in pixels. In most monospaced fonts, a character's width is 0.6 of its height. textLength forces that width
// in other fonts.
const (
	fontSize   = 14
	charWidth  = 8.4
	lineHeight = 20
	margin     = 18
)

// chunks matches the parts of a line between columns: words with one blank between them.
var chunks = regexp.MustCompile(`[^ ]+( [^ ]+)*`)

// svg returns the picture. Its colors follow the reader's system, light or dark.
func (s shot) svg(title string) (string, error) {
	width, height := columns*charWidth+2*margin, len(s.lines)*lineHeight+2*margin
	var body strings.Builder
	used := map[ansi.IndexedColor]bool{}
	for y, line := range s.lines {
		for _, r := range line {
			class, err := classOf(r.style, used)
			if err != nil {
				return "", err
			}
			// Place each chunk separately, because viewers treat blanks differently.
			for _, at := range chunks.FindAllStringIndex(r.text, -1) {
				text := r.text[at[0]:at[1]]
				x := r.at + ansi.StringWidth(r.text[:at[0]])
				fmt.Fprintf(&body, "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\"%s>%s</text>\n",
					margin+float64(x)*charWidth, margin+y*lineHeight+fontSize, float64(ansi.StringWidth(text))*charWidth,
					class, html.EscapeString(text))
			}
		}
	}
	var light, dark strings.Builder
	for i := range 256 {
		if c := ansi.IndexedColor(i); used[c] { //nolint:gosec // below 256
			fmt.Fprintf(&light, " .c%d{fill:%s}", i, hex(lightOf[c]))
			fmt.Fprintf(&dark, " .c%d{fill:%s}", i, hex(c))
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" role="img">
<title>%s</title>
<style>
text{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#24292f}
.b{font-weight:bold} .d{opacity:.65} .paper{fill:#fff;stroke:#d0d7de}%s
@media (prefers-color-scheme:dark){text{fill:#e6edf3} .paper{fill:#0d1117;stroke:#30363d}%s}
</style>
<rect class="paper" x=".5" y=".5" width="%.0f" height="%d" rx="8"/>
%s</svg>
`, width, height, width, html.EscapeString(title), fontSize, light.String(), dark.String(), width-1, height-1,
		body.String()), nil
}

// classOf returns the class attribute for a style, with a space before it, or "".
func classOf(style uv.Style, used map[ansi.IndexedColor]bool) (string, error) {
	var classes []string
	switch c := style.Fg.(type) {
	case nil:
	case ansi.IndexedColor:
		if _, known := lightOf[c]; !known {
			return "", fmt.Errorf("there is no light colour for colour %d: it belongs into lightOf", c)
		}
		used[c] = true
		classes = append(classes, fmt.Sprintf("c%d", c))
	default:
		return "", fmt.Errorf("no colour of norn's palettes: %T %v", c, c)
	}
	if style.Attrs&uv.AttrBold != 0 {
		classes = append(classes, "b")
	}
	if style.Attrs&uv.AttrFaint != 0 {
		classes = append(classes, "d")
	}
	if len(classes) == 0 {
		return "", nil
	}
	return ` class="` + strings.Join(classes, " ") + `"`, nil
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
