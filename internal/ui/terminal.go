package ui

import (
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// IsTerminal reports whether stream is a terminal that can move its cursor.
func IsTerminal(stream any) bool { return hasColumns(stream) && os.Getenv("TERM") != "dumb" }

// hasColumns reports whether lines must fit the stream's width: it is a terminal, even if it cannot move its cursor.
func hasColumns(stream any) bool {
	f := osFile(stream)
	return f != nil && isTerminalFile(f)
}

func isTerminalFile(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) //nolint:gosec // a file descriptor fits an int
}

// Width returns the terminal's width in columns, or 80 if it is unknown.
func Width(stream any) int {
	if width, _ := size(stream); width > 0 {
		return width
	}
	return 80
}

// height returns the terminal's height in lines, or 24 if it is unknown.
func height(stream any) int {
	if _, height := size(stream); height > 0 {
		return height
	}
	return 24
}

// size returns the terminal's size, or 0, 0 if it is unknown.
func size(stream any) (width, height int) {
	f := osFile(stream)
	if f == nil {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd())) //nolint:gosec // a file descriptor fits an int
	if err != nil {
		return 0, 0
	}
	return width, height
}

// wrap redacts text. On a terminal, it also breaks lines between words and indents continuation lines.
func wrap(stream any, text string, indent int) string {
	text = redactText(stream, text)
	if !hasColumns(stream) {
		return text
	}
	// The library breaks lines after any hyphen, even inside flags and names.
	text = ansi.Wrap(strings.ReplaceAll(text, "-", unbreakableHyphen), Width(stream)-indent, "")
	return strings.NewReplacer(unbreakableHyphen, "-", "\n", "\n"+strings.Repeat(" ", indent)).Replace(text)
}

// unbreakableHyphen replaces a hyphen while lines are broken. It is a private-use character.
const unbreakableHyphen = "\ue000"
