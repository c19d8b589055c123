package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
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
	long, huge := strings.Repeat("x", 3*wholeLimit+17), strings.Repeat("x", 10<<20)
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
		"10 MiB":          {in: stamp + huge + "\n", want: []string{"1 " + huge}},
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

// FuzzScan compares streams that arrive byte by byte and at once. Where lines are cut must not depend on that, and
// nothing of a line may be lost or changed.
func FuzzScan(f *testing.F) {
	for _, text := range []string{
		stamp + "a\n" + stamp + "b", "x\n\n", "",
		stamp + "50%\r100%\r\n" + stamp + "\r\n" + stamp + "x\r  ok rollout done\n", // carriage returns
		stamp + "a\x00b\x00\n\x00\n" + stamp + "\x00\n", stamp + "\xff\xfe \xc3\x28 \xed\xa0\x80\n",
		stamp + "\x1b[31mred\x1b[0m \x1b]0;title\x07\n", stamp + "\u2028\u0085\v\f\n", // line ends elsewhere
		stamp + stamp + "a " + stamp + "\n" + stamp[:len(stamp)-1] + "\n",         // timestamps inside a line, and alone
		"2026-11-24T08:43:37Z a\n2026-11-24T08:43:37.5+05:30 b\n" + stamp + "c\n", // several zones
		"9999-99-99T99:99:99.999999999Z a\n", "2026-11-24T08:43:37.0000000000001Z a\n",
		"f of a line\n" + stamp + "a\n" + stamp[9:] + "b\n" + stamp + "c\n", stamp + "a\n" + stamp[:20], // rotated halves
		stamp + "a\nunable to retrieve container logs for containerd://1\n" + stamp + "b\n",
		"failed to open log file \"/var/log/pods/x/0.log\": open /var/log/pods/x/0.log: no such file or directory",
		stamp + strings.Repeat("x", wholeLimit+1) + "\n" + stamp + "b\n",
		strings.Repeat("\r", bufferSize) + "\n" + stamp + "b\n",
	} {
		f.Add([]byte(text), true)
		f.Add([]byte(text), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, headless bool) {
		lines, remark, err := scanAll(iotest.OneByteReader(bytes.NewReader(data)), headless)
		atOnce, sameRemark, sameErr := scanAll(bytes.NewReader(data), headless)
		if err == nil {
			t.Fatal("no end")
		}
		if !slices.Equal(lines, atOnce) || remark != sameRemark || !errors.Is(sameErr, err) {
			t.Fatalf("byte by byte %q, %q, %v; at once %q, %q, %v", lines, remark, err, atOnce, sameRemark, sameErr)
		}
		if headless || !errors.Is(err, io.EOF) {
			return
		}
		whole := bytes.Split(data, []byte("\n"))
		if len(lines) != len(whole)-1 { // the last one has no end
			t.Fatalf("%d lines, want %d", len(lines), len(whole)-1)
		}
		for i, line := range lines {
			_, text, _ := strings.Cut(line, " ")
			if !strings.HasSuffix(string(whole[i]), text) {
				t.Fatalf("line %q became %q", whole[i], text)
			}
		}
	})
}
