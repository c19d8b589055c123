package logs

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// If a node's clock is set back, later lines still count as new.
func TestClockSetBack(t *testing.T) {
	file := steady(3000, second/1000)
	for i := range file[1000:] {
		file[1000+i].at -= second
	}
	for _, d := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			got, warned := newTestKubelet("x", file).readLines(t, d, corev1.PodLogOptions{})
			if !slices.Equal(got, texts(file)) || len(warned) > 0 {
				t.Errorf("followed for %s: %d lines of %d, warned %q", d, len(got), len(file), warned)
			}
		})
	}
}

// A file that the kubelet sends twice is shown once. A warning reports the file that the kubelet skipped.
func TestFileSentTwice(t *testing.T) {
	for _, lines := range []int{2, 64, 65, 1000} {
		synctest.Test(t, func(t *testing.T) {
			file := steady(2000, second/1000)
			k := newTestKubelet("x", file[:100])
			newest := file[500 : 500+lines]
			go func() {
				time.Sleep(time.Second)
				k.change(func() { k.files["x"] = newest })
				k.writes <- newest
				k.writes <- newest
				k.writes <- file[500+lines:]
			}()
			got, warned := k.readLines(t, time.Minute, corev1.PodLogOptions{})
			if want := append(texts(file[:100]), texts(file[500:])...); !slices.Equal(got, want) {
				t.Errorf("%d lines sent twice: got %d, want %d", lines, len(got), len(want))
			}
			if len(warned) != 1 || !strings.Contains(warned[0], "rotated more than once") {
				t.Errorf("warned %q", warned)
			}
		})
	}
}

// If the log is rotated while a stream is broken, lines of the old file may be lost. That is true even if only
// milliseconds are between the last line read and the first line of the new file.
func TestRotatedWhileBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := steady(200, second/1000)
		k := newTestKubelet("x", file[:100])
		go func() {
			time.Sleep(time.Second)
			k.change(func() { k.files["x"] = file[110:] })
			k.breaks <- io.EOF
		}()
		got, warned := k.readLines(t, time.Minute, corev1.PodLogOptions{})
		if want := append(texts(file[:100]), texts(file[110:])...); !slices.Equal(got, want) {
			t.Errorf("got %d lines, want %d", len(got), len(want))
		}
		if len(warned) != 1 || !strings.Contains(warned[0], "rotated while the stream was interrupted") {
			t.Errorf("warned %q", warned)
		}
	})
}

// A reopened stream does not show lines before the ones selected by --tail, even if they have the same second.
func TestTailOfABusySecond(t *testing.T) {
	for _, tail := range []int64{0, 3, 150} {
		synctest.Test(t, func(t *testing.T) {
			file := steady(220, 1000)
			k := newTestKubelet("x", file[:200])
			go func() {
				time.Sleep(10 * time.Second)
				k.change(func() { k.files["x"] = file })
				k.breaks <- errReset
			}()
			got, warned := k.readLines(t, time.Minute, corev1.PodLogOptions{TailLines: &tail})
			if want := texts(file[200-tail:]); !slices.Equal(got, want) || len(warned) > 0 {
				t.Errorf("--tail %d: got %d lines, want %d; warned %q", tail, len(got), len(want), warned)
			}
		})
	}
}

// An instance that ended before the run is not shown after its successor.
func TestEarlierInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKubelet("x", steady(3, second))
		k.previous, k.ended, k.files["w"] = "w", true, []testLine{{second, "failure"}}
		tail, out, warned := k.tail(func() view { return view{current: "x", ended: true, previous: "w"} })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := tail.run(ctx); err != nil {
			t.Error(err)
		}
		if want := "line 0\nline 1\nline 2\n"; out.String() != want || len(*warned) > 0 {
			t.Errorf("got %q, warned %q", out.String(), *warned)
		}
	})
}

// The log of the next instance is shown once, even if the kubelet serves it before the pod's status names the instance.
func TestNextInstanceBeforeItsStatus(t *testing.T) {
	for _, x := range [][]testLine{steady(2, second), nil} {
		synctest.Test(t, func(t *testing.T) {
			k := newTestKubelet("x", x)
			now := view{current: "x"}
			tail, out, warned := k.tail(func() view { k.mu.Lock(); defer k.mu.Unlock(); return now })
			tail.showAll = true
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- tail.run(ctx) }()
			time.Sleep(10 * time.Second)
			k.change(func() { k.current, k.previous = "y", "x" })
			k.breaks <- io.EOF
			time.Sleep(500 * time.Millisecond) // until the stream is reopened
			y := []testLine{{20 * second, "first of y"}, {21 * second, "second of y"}}
			k.change(func() { k.files["y"] = y })
			k.writes <- y
			time.Sleep(2 * time.Second)
			k.change(func() { now = view{current: "y", previous: "x"} })
			tail.watch.update(now)
			time.Sleep(time.Minute)
			k.change(func() { k.ended, now = true, view{current: "y", ended: true, previous: "x"} })
			tail.watch.update(now)
			k.breaks <- io.EOF
			if err := <-done; err != nil {
				t.Error(err)
			}
			if want := strings.Join(append(texts(x), texts(y)...), "\n") + "\n"; out.String() != want || len(*warned) > 0 {
				t.Errorf("got %q, want %q, warned %q", out.String(), want, *warned)
			}
		})
	}
}

// If the first stream of a starting container ends at once, the reader soon opens the next one.
func TestJustStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTestKubelet("x", nil)
		tail, out, _ := k.tail(func() view { return view{current: "x"} })
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- tail.run(ctx) }()
		synctest.Wait()
		k.breaks <- io.EOF
		time.Sleep(time.Second)
		k.writes <- steady(1, 1)
		time.Sleep(time.Second)
		synctest.Wait()
		if out.String() != "line 0\n" {
			t.Errorf("got %q", out.String())
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// If the container runtime briefly does not know the container, its log is not lost.
func TestRuntimeAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := steady(3, second)
		k := newTestKubelet("x", file)
		k.says = func(*corev1.PodLogOptions) string {
			if k.requests > 2 {
				return ""
			}
			return "unable to retrieve container logs for containerd://x"
		}
		got, warned := k.readLines(t, 0, corev1.PodLogOptions{})
		if !slices.Equal(got, texts(file)) || len(warned) > 0 {
			t.Errorf("got %q, warned %q", got, warned)
		}
	})
}

// A silent container costs a few requests and then none. For a long line, the kubelet returns only the last part as
// the last line, with its own time.
func TestSilenceIsCheap(t *testing.T) {
	long := []testLine{{5 * second, "a"}, {6 * second, strings.Repeat("x", 16<<10) + "rest"}}
	for _, c := range []struct {
		name     string
		file     []testLine
		last     string
		requests int
	}{
		{"wrote nothing", nil, "", 2},
		{"long last line", long, stamped([]testLine{{6*second + 1500, "rest"}}), 8}, // two streams without new lines
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTestKubelet("x", c.file)
				k.says = func(opts *corev1.PodLogOptions) string {
					if opts.TailLines != nil {
						return c.last
					}
					return ""
				}
				_, warned := k.readLines(t, 24*time.Hour, corev1.PodLogOptions{})
				if k.requests != c.requests || len(warned) > 0 {
					t.Errorf("%d requests, want %d; warned %q", k.requests, c.requests, warned)
				}
			})
		})
	}
}

// With --until in the past, Follow has no effect.
func TestFollowUntilThePast(t *testing.T) {
	now := time.Now()
	k := newTestKubelet("id", []testLine{{now.Add(-time.Hour).UnixNano(), "old"}, {now.UnixNano(), "new"}})
	var out bytes.Buffer
	until := LineFilter{Until: now.Add(-time.Minute).UnixNano()}
	err := Run(t.Context(), k, Options{Follow: true, Tail: -1, Lines: until}, Sink{
		Out: &out, Format: func(Origin) Format { return plain{} },
		Warn: func(text string) { t.Error(text) }, Debug: func(string) {}, Notice: func(string) {},
	})
	if err != nil || out.String() != "old\n" {
		t.Errorf("got %q, error %v", out.String(), err)
	}
}
