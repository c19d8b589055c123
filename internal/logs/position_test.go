package logs

import (
	"fmt"
	"slices"
	"testing"
)

type testLine struct {
	at   int64
	text string
}

// readFrom reads a stream that is opened at pos. Like the kubelet, it sends lines from pos's second on.
func readFrom(pos *position, h hasher, file []testLine) (fresh []string, gap bool) {
	return readAgain(pos, h, file, false)
}

// readAgain reads a stream. If again is true, a line older than all remembered lines means that the kubelet sends the
// file again.
func readAgain(pos *position, h hasher, file []testLine, again bool) (fresh []string, gap bool) {
	o := pos.overlap()
	base := pos.base
	if !pos.begun() {
		base = 0
	}
	var waiting *testLine
	see := func(l testLine) {
		pos.see(l.at, h.id(l.at, []byte(l.text)))
		fresh = append(fresh, l.text)
	}
	for _, l := range file {
		if l.at < base {
			continue
		}
		id := h.id(l.at, []byte(l.text))
		if waiting != nil {
			if !o.wasSeen(id) {
				see(*waiting)
			} else {
				o.mode = overlapUndecided
			}
			waiting = nil
		}
		v := o.judge(l.at, id)
		if v == lineOld && again {
			o.mode = overlapUndecided
			v = o.judge(l.at, id)
		}
		switch v {
		case lineUndecided:
			waiting = &l
			continue
		case lineKnown:
			continue
		case linePartlyKnown:
			fresh = append(fresh, "rest of "+l.text)
			pos.passed = -1
			continue
		}
		see(l)
	}
	return fresh, o.gap
}

// numbered returns lines. Many have the same timestamp, some have the same text, and some are out of order.
func numbered(n int) []testLine {
	var file []testLine
	for i := range n {
		at := 5*second + int64(i/40)*second/4 + int64(i/7)
		if i%50 == 49 { // a line of stderr, written at the same time as a line of stdout
			at -= 3
		}
		text := fmt.Sprintf("line %d", i)
		if i%3 == 0 {
			text = "same"
		}
		file = append(file, testLine{at, text})
	}
	return file
}

// A stream that breaks after any line and is opened again neither repeats nor loses a line.
func TestResumeAfterEachLine(t *testing.T) {
	h := newHasher()
	file := numbered(500)
	for cut := range len(file) + 1 {
		var pos position
		first, _ := readFrom(&pos, h, file[:cut])
		second, gap := readFrom(&pos, h, file)
		if got := slices.Concat(first, second); !slices.Equal(got, texts(file)) || gap {
			t.Fatalf("broken after %d lines: %d lines, gap %v", cut, len(got), gap)
		}
	}
}

// The file is rotated among the lines seen, right after them, or later.
func TestResumeAfterRotation(t *testing.T) {
	h := newHasher()
	for _, c := range []struct {
		seen, newFile int
		lost          int
		gap           bool
	}{
		{300, 290, 0, false}, // the new file begins with one of the last lines
		{300, 301, 1, true},  // one line was only in the old file
		{300, 300, 0, true},  // nothing was lost, but the reader cannot know
		{300, 400, 100, true},
	} {
		file := distinct(500)
		var pos position
		first, _ := readFrom(&pos, h, file[:c.seen])
		rest, gap := readFrom(&pos, h, file[c.newFile:])
		want := append(texts(file[:c.seen]), texts(file[max(c.seen, c.newFile):])...)
		if got := slices.Concat(first, rest); !slices.Equal(got, want) || gap != c.gap || len(file)-len(got) != c.lost {
			t.Errorf("seen %d, rotated at %d: %d lines, gap %v", c.seen, c.newFile, len(got), gap)
		}
	}
}

// If the file was rotated before the remembered lines, timestamps decide.
func TestResumeAfterEarlyRotation(t *testing.T) {
	h := newHasher()
	file := distinct(2000)
	for i := range file {
		file[i].at = 7*second + int64(i) // all in the same second
	}
	var pos position
	first, _ := readFrom(&pos, h, file[:1500])
	rest, gap := readFrom(&pos, h, file[900:])
	if got := slices.Concat(first, rest); !slices.Equal(got, texts(file)) || gap {
		t.Errorf("%d lines, gap %v", len(got), gap)
	}
}

// If a rotation splits a line, a stream that continues in the new file has the whole line. A reopened stream has the
// rest at the beginning of the new file.
func TestResumeAfterASplitLine(t *testing.T) {
	h := newHasher()
	file := steady(200, 1000) // all in the same second
	for _, after := range []int{1, 2, 30, 63, 64, 99} {
		var pos position
		first, _ := readFrom(&pos, h, file[:100+after])
		rest := testLine{file[99].at + 1, "9"} // the rest of "line 99"
		second, gap := readFrom(&pos, h, append([]testLine{rest}, file[100:]...))
		if got := slices.Concat(first, second); !slices.Equal(got, texts(file)) || gap {
			t.Errorf("broken %d lines after the rotation: %d lines, gap %v", after, len(got), gap)
		}
	}
}

// If a log is rotated twice before a stream reaches the end of its file, the kubelet skips the file in between and
// sends the newest file twice.
func TestFileThatComesAgain(t *testing.T) {
	h := newHasher()
	file := distinct(1000)
	for _, c := range []struct{ from, to int }{{600, 602}, {600, 640}, {600, 700}, {640, 641 + 300}} {
		var pos position
		stream := slices.Concat(file[:300], file[c.from:c.to], file[c.from:c.to], file[c.from:])
		got, _ := readAgain(&pos, h, stream, true)
		if want := append(texts(file[:300]), texts(file[c.from:])...); !slices.Equal(got, want) {
			t.Errorf("lines %d to %d come again: %d lines, want %d", c.from, c.to, len(got), len(want))
		}
	}
}

// If a part of a line was passed on, only the rest is new.
func TestResumeInsideALine(t *testing.T) {
	h := newHasher()
	file := distinct(10)
	var pos position
	readFrom(&pos, h, file[:5])
	pos.passed = 3
	rest, _ := readFrom(&pos, h, file)
	if want := append([]string{"rest of line 4"}, texts(file[5:])...); !slices.Equal(rest, want) {
		t.Errorf("got %q", rest)
	}
}

func distinct(n int) []testLine {
	var file []testLine
	for i := range n {
		file = append(file, testLine{5*second + int64(i)*second/50, fmt.Sprintf("line %d", i)})
	}
	return file
}

func texts(file []testLine) []string {
	var out []string
	for _, l := range file {
		out = append(out, l.text)
	}
	return out
}
