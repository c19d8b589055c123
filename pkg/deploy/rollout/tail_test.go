package rollout

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	k8srollout "norn/pkg/k8s/rollout"
)

// The evidence has the end of a log, with long lines cut.
func TestLogEnd(t *testing.T) {
	long := strings.Repeat("ä", 5<<20)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"empty":            {"", nil},
		"lines":            {"a\r\n\nb", []string{"a", "", "b"}},
		"a long line":      {long + "\npanic: x\n", []string{long[:maxLine] + "… (10485760 bytes)", "panic: x"}},
		"a long last line": {"a\nx" + long, []string{"a", "x" + long[:maxLine-2] + "… (10485761 bytes)"}},
	} {
		t.Run(name, func(t *testing.T) {
			var e logEnd
			for part := range slices.Chunk([]byte(c.text), 1<<15) {
				if _, err := e.Write(part); err != nil {
					t.Fatal(err)
				}
			}
			if err := e.Close(); err != nil || !slices.Equal(e.lines, c.want) {
				t.Errorf("%d lines, the last %.2000q; %v", len(e.lines), e.lines, err)
			}
		})
	}
	var e logEnd
	for i := range 2 * savedLines {
		_, _ = fmt.Fprintf(&e, "%d %s\n", i, strings.Repeat("x", i))
	}
	if size := len(strings.Join(e.lines, "")); size > maxLog || size < maxLog-2*maxLine {
		t.Errorf("%d bytes, want at most %d", size, maxLog)
	}
	if last := e.lines[len(e.lines)-1]; !strings.HasPrefix(last, fmt.Sprint(2*savedLines-1)) {
		t.Errorf("the last line is %.20q", last)
	}
}

// No text from a container or the cluster is shown without norn's mark before it.
func TestEvidenceKeepsItsMarks(t *testing.T) {
	f := Failure{
		Reason: "CrashLoop", Message: "m\r  ✓ message\n  ✓ more", Pod: "p", Image: "i\r  ✓ image",
		Events: []string{"e\r  ✓ event"}, Log: []string{"x\r  ✓ rollout done: revision 9", "\r\n✓"},
	}
	var shown bytes.Buffer
	f.show(&shown)
	want := []string{"failed (", "Pod p", "event e", "log | x", "log | "}
	lines := strings.Split(strings.TrimSuffix(shown.String(), "\n"), "\n")
	if len(lines) != len(want) || strings.Contains(shown.String(), "\r") {
		t.Fatalf("%q", shown.String())
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("%q has no mark", line)
		}
	}
}

// A hundred long lines stay short in every output format.
func TestEvidenceIsBounded(t *testing.T) {
	var e logEnd
	for range 100 {
		_, _ = fmt.Fprintln(&e, strings.Repeat("x", 1<<20))
	}
	f := Failure{Reason: k8srollout.CrashLoop, Log: e.lines, Previous: e.lines}
	var shown bytes.Buffer
	f.show(&shown)
	if shown.Len() > shownLines*(maxLine+50)+1<<10 {
		t.Errorf("%d bytes are shown", shown.Len())
	}
}
