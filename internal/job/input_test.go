package job

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// An input passes each byte once, however it arrives, and knows when it is empty.
func TestInput(t *testing.T) {
	long := strings.Repeat("line\n", 3*inputChunk)
	for name, c := range map[string]struct {
		from io.Reader
		want string
	}{
		"nothing":       {strings.NewReader(""), ""},
		"short":         {strings.NewReader("a"), "a"},
		"long":          {strings.NewReader(long), long},
		"byte by byte":  {iotest.OneByteReader(strings.NewReader("abc")), "abc"},
		"end with data": {iotest.DataErrReader(strings.NewReader("abc")), "abc"},
	} {
		in := newInput(c.from)
		<-in.ahead
		if hasData, isEmpty := in.state(); hasData != (c.want != "") || isEmpty != (c.want == "") {
			t.Errorf("%s: data %t, empty %t", name, hasData, isEmpty)
		}
		got, err := io.ReadAll(iotest.HalfReader(in))
		if err != nil || string(got) != c.want || in.sent.Load() != int64(len(c.want)) || !in.taken.Load() {
			t.Errorf("%s: %d bytes, sent %d, %v", name, len(got), in.sent.Load(), err)
		}
	}
}

// An idle pipe neither has data nor is empty, and nothing waits for it.
func TestIdleInput(t *testing.T) {
	r, w := io.Pipe()
	in := newInput(r)
	if hasData, isEmpty := in.state(); hasData || isEmpty || in.taken.Load() {
		t.Errorf("data %t, empty %t", hasData, isEmpty)
	}
	_ = w.Close()
	<-in.ahead
	if _, isEmpty := in.state(); !isEmpty {
		t.Error("not empty after its end")
	}
	if newInput(nil) != nil {
		t.Error("input without a reader")
	}
}

// An input that breaks off is an error, because the container cannot tell it from the end.
func TestBrokenInput(t *testing.T) {
	broken := errors.New("input/output error")
	in := newInput(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)))
	got, err := io.ReadAll(in)
	if string(got) != "abc" || !errors.Is(err, broken) || !errors.Is(in.failure(), broken) {
		t.Errorf("read %q, %v; failure %v", got, err, in.failure())
	}
	whole := newInput(strings.NewReader("abc"))
	if _, err := io.ReadAll(whole); err != nil || whole.failure() != nil {
		t.Errorf("got %v, %v for an input that ends", err, whole.failure())
	}
}
