package ui

import (
	"io"

	"github.com/charmbracelet/lipgloss"
)

// palette holds the styles for one stream. They do nothing if the stream does not support colors.
type palette struct {
	good, bad, warn, dim, bold lipgloss.Style
}

// newRenderer detects which colors a stream supports.
func newRenderer(stream io.Writer) *lipgloss.Renderer {
	if f := osFile(stream); f != nil {
		stream = f
	}
	return lipgloss.NewRenderer(stream)
}

// newPalette returns colors that are readable on light and on dark backgrounds.
func newPalette(stream io.Writer) palette {
	r := newRenderer(stream)
	color := func(light, dark string) lipgloss.Style {
		return r.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: light, Dark: dark})
	}
	return palette{
		good: color("28", "42"),
		bad:  color("160", "203"),
		warn: color("130", "214"),
		dim:  color("243", "245"),
		bold: r.NewStyle().Bold(true),
	}
}
