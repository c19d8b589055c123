package rollout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/internal/logs"
	"norn/pkg/k8s"
	k8srollout "norn/pkg/k8s/rollout"
)

// The limits of a log in the evidence.
const (
	savedLines = 500
	// maxLine is the number of bytes that are kept of a line.
	maxLine = 1 << 10
	// maxLog is the number of bytes that are kept of a log, at its end.
	maxLog = 64 << 10
	// maxRead is the number of bytes to read. A kubelet keeps 10 MiB in a file by default.
	maxRead = 64 << 20
)

// tail returns the end of a container's log, and why a part of it could not be read. A missing log returns no error.
// Long lines are cut. Secret values are redacted before that, because a part of a value would not be recognized.
func (r *runner) tail(ctx context.Context, v k8srollout.Verdict, previous bool) ([]string, error) {
	lines, limit := int64(savedLines), int64(maxRead)
	stream, err := r.cluster.StreamLogs(ctx, r.Namespace, v.Pod, &corev1.PodLogOptions{
		Container: v.Container, Previous: previous, TailLines: &lines, LimitBytes: &limit,
	})
	if k8s.IsMissingLog(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	var end logEnd
	var to io.WriteCloser = &end
	if r.Redactor != nil {
		to = r.Redactor.Writer(&end)
	}
	_, err = io.Copy(to, stream)
	err = errors.Join(err, to.Close(), end.Close())
	if len(end.lines) == 1 && logs.Missing.MatchString(end.lines[0]) {
		return nil, nil
	}
	return end.lines, err
}

// logEnd keeps the last lines that are written to it.
type logEnd struct {
	lines []string
	size  int // number of bytes in lines

	line  []byte // the beginning of the current line
	total int    // number of bytes of the current line
}

// Write implements io.Writer.
func (e *logEnd) Write(p []byte) (int, error) {
	n := len(p)
	for {
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		e.line = append(e.line, part[:min(len(part), maxLine+1-len(e.line))]...)
		e.total += len(part)
		if !ended {
			return n, nil
		}
		e.endLine()
		p = rest
	}
}

// Close ends a last line without a line break.
func (e *logEnd) Close() error {
	if e.total > 0 {
		e.endLine()
	}
	return nil
}

func (e *logEnd) endLine() {
	text := strings.TrimSuffix(string(e.line), "\r")
	if len(text) > maxLine {
		text = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:maxLine], ""), e.total)
	}
	e.lines, e.size = append(e.lines, text), e.size+len(text)
	for len(e.lines) > savedLines || e.size > maxLog && len(e.lines) > 1 {
		e.size -= len(e.lines[0])
		e.lines = e.lines[1:]
	}
	e.line, e.total = e.line[:0], 0
}
