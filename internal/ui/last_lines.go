package ui

import (
	"fmt"
	"slices"
	"strings"
)

// lastLines keeps the last lines of a step's output.
type lastLines struct {
	keep    int // number of lines to keep
	lines   []string
	dropped int // number of lines before them
}

// maxKept is the number of bytes that are kept of a line.
const maxKept = 2 << 10

func (l *lastLines) add(line string) {
	line = cut(line, maxKept)
	if l.lines = append(l.lines, line); len(l.lines) > l.keep {
		l.lines, l.dropped = slices.Delete(l.lines, 0, 1), l.dropped+1
	}
}

func (l *lastLines) clear() { l.lines, l.dropped = nil, 0 }

// cut returns text, or its first bytes and its length if it has more than most bytes. Cut only redacted text, because a
// part of a secret value is not recognized.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:most], ""), len(text))
}
