package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const stamp = "2026-11-24T08:43:37.000000001Z "

func scanAll(r io.Reader, headless bool) (lines []string, remark string, err error) {
	s := newScanner(r, headless, func() error { return nil })
	var line strings.Builder
	for {
		p, err := s.next()
		if err != nil {
			return lines, s.remark, err
		}
		if p.begin {
			fmt.Fprintf(&line, "%d ", p.at%second)
		}
		line.Write(p.text)
		if p.end {
			lines = append(lines, line.String())
			line.Reset()
		}
	}
}

func TestScan(t *testing.T) {
	long := strings.Repeat("x", 3*wholeLimit+17)
	for name, c := range map[string]struct {
		in       string
		headless bool
		want     []string
		remark   string
	}{
		"lines":          {in: stamp + "a\n" + stamp + "\n" + stamp + "b c\n", want: []string{"1 a", "1 ", "1 b c"}},
		"no end":         {in: stamp + "a\n" + stamp + "b", want: []string{"1 a"}},
		"long":           {in: stamp + long + "\n" + stamp + "b\n", want: []string{"1 " + long, "1 b"}},
		"headless":       {in: "end of a line\n" + stamp + "b\n", headless: true, want: []string{"1 b"}},
		"headless, long": {in: long + "\n" + stamp + "b\n", headless: true, want: []string{"1 b"}},
		"a remark": {
			in:   stamp + "a\nunable to retrieve container logs\n" + stamp + "b\n",
			want: []string{"1 a"}, remark: "unable to retrieve container logs",
		},
		"no timestamps":   {in: "a\nb\n", want: []string{"0 a", "0 b"}},
		"node's own zone": {in: "2026-11-24T10:43:37.000000001+02:00 a\n", want: []string{"1 a"}},
		"empty":           {},
	} {
		in := func() io.Reader { return strings.NewReader(c.in) }
		for _, r := range []io.Reader{in(), iotest.DataErrReader(in()), iotest.HalfReader(in())} {
			lines, remark, err := scanAll(r, c.headless)
			if fmt.Sprint(lines) != fmt.Sprint(c.want) || remark != c.remark || (c.remark == "") != errors.Is(err, io.EOF) {
				t.Errorf("%s: %d lines %.80q, remark %q, error %v", name, len(lines), lines, remark, err)
			}
		}
	}
}

// For a long line, the scanner buffers at most wholeLimit.
func TestScanHoldsNoLongLine(t *testing.T) {
	long := io.MultiReader(strings.NewReader(stamp), bytes.NewReader(make([]byte, 20<<20)))
	s := newScanner(long, false, func() error { return nil })
	total := 0
	for {
		p, err := s.next()
		if err != nil {
			break
		}
		total += len(p.text)
		if cap(s.buf) > 2*wholeLimit {
			t.Fatalf("%d bytes held", cap(s.buf))
		}
	}
	if total < 20<<20-bufferSize {
		t.Errorf("%d bytes passed on", total)
	}
}

func TestTimestampParser(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-24T08:43:37.123456789Z x":      "2026-11-24T08:43:37.123456789Z",
		"2026-11-24T08:43:37.5Z x":              "2026-11-24T08:43:37.5Z",
		"2026-11-24T08:43:37Z x":                "2026-11-24T08:43:37Z",
		"2026-11-24T08:43:37.123456789+05:30 x": "2026-11-24T03:13:37.123456789Z",
		"2026-11-24T08:43:37.123456789Z":        "",
		"2026-13-24T08:43:37.123456789Z x":      "",
		"hello, this is no timestamp at all":    "",
		"":                                      "",
	} {
		var c timestampParser
		for range 2 { // the second time from memory
			at, n := c.parse([]byte(text))
			got := ""
			if n > 0 {
				got = time.Unix(0, at).UTC().Format(time.RFC3339Nano)
				if text[n:] != "x" {
					t.Errorf("%q: rest %q", text, text[n:])
				}
			}
			if got != want {
				t.Errorf("%q: got %s", text, got)
			}
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(stamp+"a\n"+stamp+"b"), true)
	f.Add([]byte("x\n\n"), false)
	f.Fuzz(func(t *testing.T, data []byte, headless bool) {
		_, _, err := scanAll(iotest.OneByteReader(bytes.NewReader(data)), headless)
		if err == nil {
			t.Fatal("no end")
		}
	})
}
