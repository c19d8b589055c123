package ui

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// background is what norn knows about a terminal's background.
type background int

const (
	unknownBackground background = iota
	darkBackground
	lightBackground
)

// answerTime is the time to wait for the terminal's answer. A terminal on this machine needs a few milliseconds.
const answerTime = 150 * time.Millisecond

// asked holds the terminal's answer, and what the user typed while norn waited for it.
var asked struct {
	once   sync.Once
	answer background
	typed  []byte
}

// terminalBackground returns the background of the process's terminal. It asks the terminal at most once per process,
// and only if the environment does not describe the background.
func terminalBackground() background {
	asked.once.Do(func() {
		switch described := os.Getenv("COLORFGBG"); {
		case described != "":
			asked.answer = parseColorFGBG(described)
		case mayAsk():
			asked.answer, asked.typed = askBackground(os.Stderr, answerTime)
		}
	})
	return asked.answer
}

// mayAsk reports whether the terminal answers quickly, and no other program reads the answer. In a pipeline, a pager
// reads from the terminal. Over SSH, the answer may be late, and the shell would read it.
func mayAsk() bool {
	for _, multiplexer := range []string{"screen", "tmux", "dumb"} {
		if strings.HasPrefix(os.Getenv("TERM"), multiplexer) {
			return false
		}
	}
	return isTerminalFile(os.Stdout) && isTerminalFile(os.Stderr) &&
		os.Getenv("SSH_CONNECTION") == "" && os.Getenv("SSH_TTY") == ""
}

// typedReader reads what the user typed while norn waited for the terminal's answer.
type typedReader struct{}

func (typedReader) Read(p []byte) (int, error) {
	n := copy(p, asked.typed)
	asked.typed = asked.typed[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// takeTypedLine returns the first line of what typedReader would read, and whether the line is complete.
func takeTypedLine() (line string, complete bool) {
	typed, rest, complete := bytes.Cut(asked.typed, []byte("\n"))
	asked.typed = rest
	return string(typed), complete
}

// parseColorFGBG returns the background that COLORFGBG describes, such as 15;0 or 0;default;15. Its last field is a
// color number (rxvt(1)); 7 and 9 to 15 are light.
func parseColorFGBG(described string) background {
	n, err := strconv.Atoi(described[strings.LastIndexByte(described, ';')+1:])
	switch {
	case err != nil || n < 0 || n > 15:
		return unknownBackground
	case n == 7 || n > 8:
		return lightBackground
	default:
		return darkBackground
	}
}

// The query for the background color (xterm's ctlseqs: OSC 11), followed by a query that all terminals answer (DA1).
// The second answer ends the wait for the first.
const backgroundQuery = "\x1b]11;?\x1b\\\x1b[c"

var (
	colorAnswer = regexp.MustCompile(
		`\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})[^\x07\x1b]*(?:\x07|\x1b\\)`)
	lastAnswer = regexp.MustCompile(`\x1b\[\?[0-9;]*c`)
)

// parseAnswers returns the background that the terminal's answers describe, and the other bytes.
func parseAnswers(read []byte) (background, []byte) {
	answer := unknownBackground
	if m := colorAnswer.FindSubmatch(read); m != nil {
		answer = darkBackground
		if luminance(m[1], m[2], m[3]) > 0.5 {
			answer = lightBackground
		}
	}
	typed := lastAnswer.ReplaceAll(colorAnswer.ReplaceAll(read, nil), nil)
	return answer, typed
}

// luminance returns the perceived brightness of a color, from 0 to 1. Its parts are hexadecimal numbers of any length.
func luminance(r, g, b []byte) float64 {
	part := func(hex []byte) float64 {
		n, _ := strconv.ParseUint(string(hex), 16, 16)
		return float64(n) / float64(uint(1)<<(4*len(hex))-1)
	}
	return 0.299*part(r) + 0.587*part(g) + 0.114*part(b)
}
