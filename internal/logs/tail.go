package logs

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// rememberedInstances is the number of a container's instances for which a tail keeps a reader. An instance that
// seemed to have ended may become current again.
const rememberedInstances = 8

// tail follows one container through its instances.
type tail struct {
	session *session
	out     *output
	streams chan struct{} // limits the containers that are read at once
	pod     *corev1.Pod
	origin  Origin
	watch   *containerWatch
	showAll bool // the next instance started after the run, so show its whole log
	done    chan struct{}

	readers []*reader // of the last instances, the newest at the end
}

func (f *follower) newTail(c container) *tail {
	return &tail{
		session: f.session, out: f.out, streams: f.streams, pod: c.pod, origin: c.origin,
		watch: f.session.watch(c.pod, c.name), done: make(chan struct{}),
	}
}

// run reads one instance after the other until the pod is gone or ctx ends.
func (t *tail) run(ctx context.Context) error {
	for ctx.Err() == nil {
		r := t.nextReader()
		if r == nil {
			if t.watch.view().podGone {
				return nil
			}
			t.watch.wait(ctx, time.Minute)
			continue
		}
		if err := t.acquireStream(ctx); err != nil {
			return nil //nolint:nilerr // the run has ended
		}
		show, err := r.opened > 0, error(nil)
		if !show {
			show, err = t.session.beforePod(ctx, t.pod, t.showAll)
		}
		if show {
			err = r.read(ctx, t.watch)
		}
		<-t.streams
		if err == nil && !show {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		t.showAll = true
	}
	return nil
}

// nextReader returns the reader for the next instance, or nil if there is none. A reader that has not reached the end
// of its log continues at its position. After a restart, the kubelet may report a container first as ended or unknown,
// and later as running.
func (t *tail) nextReader() *reader {
	v := t.watch.view()
	for _, instance := range []string{v.previous, v.current} {
		state := v.stateOf(instance)
		if instance == "" || state == instanceGone || state == instancePrevious && !t.showAll {
			continue
		}
		i := slices.IndexFunc(t.readers, func(r *reader) bool { return r.instance == instance })
		if i < 0 {
			return t.newReader(instance)
		}
		if r := t.readers[i]; r.hasMore(state) {
			return r
		}
	}
	return nil
}

// newReader returns a new reader for an instance.
func (t *tail) newReader(instance string) *reader {
	s := t.session
	to := &lineWriter{out: t.out, format: s.sink.Format(t.origin)}
	r := s.reader(t.pod, t.origin.Container, instance, to)
	if !t.showAll {
		r.first = s.firstRequest()
		if earlier := t.watch.view().previous; earlier != "" { // it ended before this run, so its log is not shown
			ended := &reader{instance: earlier}
			ended.state.extent = readFinal
			t.readers = append(t.readers, ended)
		}
	}
	r.takeOver = func(id lineID) bool { return t.takeOver(r, id) }
	t.readers = append(t.readers, r)
	if extra := len(t.readers) - rememberedInstances; extra > 0 {
		t.readers = slices.Delete(t.readers, 0, extra)
	}
	return r
}

// acquireStream waits until another container may be read. It warns if it must wait.
func (t *tail) acquireStream(ctx context.Context) error {
	select {
	case t.streams <- struct{}{}:
		return nil
	default:
	}
	t.session.sink.Warn(fmt.Sprintf(
		"more than %d containers at once: %s/%s waits until another ends; select fewer with --pod or --container",
		maxStreams, t.pod.Name, t.origin.Container))
	select {
	case t.streams <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
