package ui

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// palette holds the styles for one stream. They do nothing if the stream does not support colors.
type palette struct {
	good, bad, warn, dim, bold lipgloss.Style
}

// color is a color of the 256-color palette for each background. Neutral has a contrast of at least 3.8:1 on white and
// on black.
type color struct{ light, dark, neutral string }

var (
	green  = color{light: "28", dark: "42", neutral: "28"}
	red    = color{light: "160", dark: "203", neutral: "160"}
	orange = color{light: "130", dark: "214", neutral: "130"}
	gray   = color{light: "243", dark: "245", neutral: "243"}
)

// canvas is a stream with what is known about its colors.
type canvas struct {
	*lipgloss.Renderer
	background background
}

// newCanvas detects which colors a stream supports. It may ask the terminal for its background.
func newCanvas(stream io.Writer) canvas {
	f := osFile(stream)
	if f != nil {
		stream = f
	}
	c := canvas{Renderer: lipgloss.NewRenderer(stream)}
	if c.ColorProfile() != termenv.Ascii && f != nil && isTerminalFile(f) {
		c.background = terminalBackground()
	}
	// The library would ask the terminal too, once per renderer, and wait 5 seconds for each answer.
	c.SetHasDarkBackground(c.background != lightBackground)
	return c
}

// style returns the style for text in a color.
func (c canvas) style(of color) lipgloss.Style {
	name := of.neutral
	switch c.background {
	case lightBackground:
		name = of.light
	case darkBackground:
		name = of.dark
	case unknownBackground:
	}
	return c.NewStyle().Foreground(lipgloss.Color(name))
}

// newPalette returns colors that are readable on the stream's background.
func newPalette(stream io.Writer) palette {
	c := newCanvas(stream)
	return palette{
		good: c.style(green),
		bad:  c.style(red),
		warn: c.style(orange),
		dim:  c.style(gray),
		bold: c.NewStyle().Bold(true),
	}
}
