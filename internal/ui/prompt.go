package ui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
)

// Prompt asks questions on a terminal.
type Prompt struct {
	in  *bufio.Reader
	out io.Writer
}

// NewPrompt returns a Prompt for s, or false where nobody is there to answer.
func NewPrompt(s Streams) (*Prompt, bool) {
	if !IsTerminal(s.In) || !IsTerminal(s.Err) {
		return nil, false
	}
	return &Prompt{bufio.NewReader(s.In), s.Err}, true
}

// Ask prints text and returns the line that is answered, trimmed; it is "" at the end of the input. It ends with ctx.
func (p *Prompt) Ask(ctx context.Context, text string) (string, error) {
	_, _ = io.WriteString(p.out, text)
	answered := make(chan string, 1)
	go func() { // a read cannot be interrupted, the wait for it can
		line, _ := p.in.ReadString('\n')
		answered <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.out)
		return "", ctx.Err()
	case answer := <-answered:
		return answer, nil
	}
}

// Say prints a line between questions.
func (p *Prompt) Say(text string) { _, _ = fmt.Fprintln(p.out, text) }
