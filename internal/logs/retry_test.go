package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// closingStreams fails to open the first streams: the server closes the connection without an answer.
type closingStreams struct {
	*testKubelet
	fails int
}

// StreamLogs implements Streamer.
func (s *closingStreams) StreamLogs(
	ctx context.Context, ns, pod string, opts *corev1.PodLogOptions,
) (io.ReadCloser, error) {
	if s.fails > 0 {
		s.fails--
		return nil, fmt.Errorf("read the log of pod %s: %w", pod, io.EOF)
	}
	return s.testKubelet.StreamLogs(ctx, ns, pod, opts)
}

// If a connection is closed before the stream is open, the log has not ended, though net/http's error wraps io.EOF.
func TestConnectionClosedBeforeTheLog(t *testing.T) {
	none := int64(0)
	for _, c := range []struct {
		name   string
		follow bool
		view   view
		first  corev1.PodLogOptions
		want   string
	}{
		{"not following", false, view{current: "x"}, corev1.PodLogOptions{}, "line 0\nline 1\n"},
		{"ended", true, view{current: "x", ended: true}, corev1.PodLogOptions{}, "line 0\nline 1\n"},
		{"from the end on", true, view{current: "x"}, corev1.PodLogOptions{TailLines: &none}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKubelet("x", steady(2, second))
				k.ended = c.view.ended
				w := newContainerWatch(func(context.Context) (view, error) { return c.view, nil })
				w.update(c.view)
				var out bytes.Buffer
				r := testReader(&closingStreams{k, 3}, "x", &out, func(text string) { t.Error(text) })
				r.first, r.follow = c.first, c.follow
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := r.read(ctx, w); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				synctest.Wait()
				if out.String() != c.want {
					t.Errorf("got %q, want %q", out.String(), c.want)
				}
			})
		})
	}
}

// unsteadyStreams break at once. Only the stream at index good first sends a line.
type unsteadyStreams struct {
	good  int
	opens []time.Time
}

// StreamLogs implements Streamer.
func (s *unsteadyStreams) StreamLogs(context.Context, string, string, *corev1.PodLogOptions) (io.ReadCloser, error) {
	s.opens = append(s.opens, time.Now())
	if len(s.opens)-1 != s.good {
		return nil, errReset
	}
	line := strings.NewReader(stamped(steady(1, second)))
	return io.NopCloser(io.MultiReader(line, failing{errReset})), nil
}

// The pauses between streams grow to longestPause. A new line makes them short again. If no line comes for longer than
// retryPeriod, there is one warning.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newContainerWatch(func(context.Context) (view, error) { return view{current: "x"}, nil })
		w.update(view{current: "x"})
		<-w.changed
		s := &unsteadyStreams{good: 8}
		warned := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := testReader(s, "x", io.Discard, func(string) { warned++ })
		if err := r.read(ctx, w); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		var pauses []time.Duration
		for i := range 11 {
			pauses = append(pauses, s.opens[i+1].Sub(s.opens[i]))
		}
		if got, want := fmt.Sprint(pauses), "[100ms 200ms 400ms 800ms 1.6s 3s 3s 3s 100ms 200ms 400ms]"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if warned != 1 {
			t.Errorf("%d warnings", warned)
		}
	})
}
