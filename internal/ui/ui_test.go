package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
)

type hinted struct{}

func (hinted) Error() string  { return "it broke" }
func (hinted) Reason() string { return "a cause" }
func (hinted) Hint() string   { return "a way out" }

func TestPrintError(t *testing.T) {
	var b bytes.Buffer
	PrintError(&b, fmt.Errorf("do a thing: %w", hinted{}))
	want := "Error: do a thing: it broke\nReason: a cause\nHint: a way out\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	PrintError(&b, errors.New("one\ntwo"))
	if want := "Error: one\n       two\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestPrintInterrupted(t *testing.T) {
	var b bytes.Buffer
	PrintInterrupted(&b, context.Canceled, context.Canceled)
	if b.Len() != 0 {
		t.Errorf("got %q for a bare interrupt", b.String())
	}
	cause := errors.New("interrupt signal received")
	PrintInterrupted(&b, fmt.Errorf("the rollout continues: %w", cause), cause)
	if want := "Interrupted: the rollout continues\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
