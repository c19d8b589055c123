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

// Ask prints text and returns the line that is answered, trimmed. It ends with ctx, and with io.EOF where the input has ended.
func (p *Prompt) Ask(ctx context.Context, text string) (string, error) {
	_, _ = io.WriteString(p.out, text)
	Flush(p.out)
	type result struct {
		line string
		err  error
	}
	answered := make(chan result, 1)
	go func() { // a read cannot be interrupted, the wait for it can
		line, err := p.in.ReadString('\n')
		if line != "" {
			err = nil
		}
		answered <- result{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		_, _ = fmt.Fprintln(p.out)
		return "", ctx.Err()
	case answer := <-answered:
		if answer.err != nil {
			_, _ = fmt.Fprintln(p.out)
		}
		return answer.line, answer.err
	}
}

// Say prints a line between questions.
func (p *Prompt) Say(text string) { _, _ = fmt.Fprintln(p.out, text) }
