package ui

import "slices"

// lastLines keeps the last lines of a step's output.
type lastLines struct {
	keep    int // number of lines to keep
	lines   []string
	dropped int // number of lines before them
}

func (l *lastLines) add(line string) {
	if l.lines = append(l.lines, line); len(l.lines) > l.keep {
		l.lines, l.dropped = slices.Delete(l.lines, 0, 1), l.dropped+1
	}
}

func (l *lastLines) clear() { l.lines, l.dropped = nil, 0 }
