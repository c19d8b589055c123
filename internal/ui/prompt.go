package ui

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Prompt asks questions on a terminal.
type Prompt struct {
	in       *bufio.Reader
	terminal *os.File
	out      io.Writer
}

// NewPrompt returns a Prompt on s, or false if s is not a terminal.
func NewPrompt(s Streams) (*Prompt, bool) {
	if !IsTerminal(s.In) || !IsTerminal(s.Err) {
		return nil, false
	}
	return &Prompt{bufio.NewReader(io.MultiReader(typedReader{}, s.In)), osFile(s.In), s.Err}, true
}

// Ask prints text and returns the answer, trimmed. It fails when ctx ends, and with io.EOF at the end of the input.
func (p *Prompt) Ask(ctx context.Context, text string) (string, error) {
	line, err := p.ask(ctx, text, func() (string, error) {
		line, err := p.in.ReadString('\n')
		if line != "" {
			err = nil
		}
		return line, err
	})
	return strings.TrimSpace(line), err
}

// AskHidden is like Ask, but the terminal does not show the answer, and the answer is not trimmed.
func (p *Prompt) AskHidden(ctx context.Context, text string) (string, error) {
	fd := int(p.terminal.Fd()) //nolint:gosec // a file descriptor fits an int
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("turn off terminal echo: %w", err)
	}
	defer func() { _ = term.Restore(fd, before) }()
	// ReadPassword turns off echo only after the prompt is shown. Text pasted before that would be visible.
	if err := hideEcho(fd); err != nil {
		return "", fmt.Errorf("turn off terminal echo: %w", err)
	}
	line, err := p.ask(ctx, text, func() (string, error) {
		typed, complete := takeTypedLine()
		if complete {
			return typed, nil
		}
		line, err := term.ReadPassword(fd)
		_, _ = fmt.Fprintln(p.out) // the terminal does not show the typed newline either
		return typed + string(line), err
	})
	return line, err
}

func (p *Prompt) ask(ctx context.Context, text string, read func() (string, error)) (string, error) {
	question := strings.TrimRight(text, " ")
	_, _ = io.WriteString(p.out, wrap(p.out, sanitize(redactText(p.out, question)), 0)+text[len(question):])
	Flush(p.out)
	line, err := Read(ctx, read)
	if err != nil {
		_, _ = fmt.Fprintln(p.out)
	}
	return line, err
}

// Say prints indented lines.
func (p *Prompt) Say(text string) {
	for line := range strings.SplitSeq(redactText(p.out, text), "\n") {
		_, _ = fmt.Fprintln(p.out, "  "+wrap(p.out, sanitize(line), 2))
	}
}
