package control

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"norn/test/bed"
)

// jobLog answers the requests for a log that match a query with lines of a container that has ended.
func jobLog(query string, lines ...string) bed.Fault {
	return bed.Fault{Path: "/pods/[^/]+/log.*" + query, Do: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for _, line := range lines {
			_, _ = io.WriteString(w, "2026-01-02T03:04:05.0Z "+line+"\n")
		}
	}}
}

// withoutWarnings returns text without norn's own lines: a control plane has no nodes.
func withoutWarnings(text string) string {
	lines := slices.DeleteFunc(slices.Collect(strings.Lines(text)), func(line string) bool {
		return strings.HasPrefix(line, "Warning: ")
	})
	return strings.Join(lines, "")
}

// If the cluster can tell stdout and stderr apart, so does norn run.
func TestStreamsOfJob(t *testing.T) {
	t.Parallel()
	w := running(t)
	for _, c := range []struct {
		name      string
		faults    []bed.Fault
		out, errs string
	}{
		{"apart", []bed.Fault{jobLog("stream=Stdout", "out"), jobLog("stream=Stderr", "err"), jobLog("", "out", "err")},
			"out\n", "err\n"},
		{"not apart", []bed.Fault{{Path: "/pods/[^/]+/log.*stream=", Do: noAttach}, jobLog("", "out", "err")},
			"out\nerr\n", ""},
	} {
		cmd := w.Command(disturbed(w, c.faults...), "run", "shop", "--", "/bin/true")
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil || out.String() != c.out || withoutWarnings(errs.String()) != c.errs {
			t.Errorf("%s: %v, stdout %q, stderr %q", c.name, err, out.String(), errs.String())
		}
	}
}
