package logs

import (
	"context"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// maxStreams is the number of containers followed at once. Each one takes a connection.
	maxStreams = 1000
	// lineDelay is how long a line may take from its container to norn.
	lineDelay = 2 * time.Second
)

// follower follows the app's containers with one tail for each.
type follower struct {
	session *session
	out     *output
	streams chan struct{}    // limits the containers that are read at once
	tails   map[string]*tail // by pod UID and container
	running sync.WaitGroup
}

func newFollower(s *session) *follower {
	return &follower{
		session: s, out: &output{w: s.sink.Out, fail: s.cancel},
		streams: make(chan struct{}, maxStreams), tails: map[string]*tail{},
	}
}

// run follows the app's containers until ctx ends, starting a tail for each container that the watch reports.
func (f *follower) run(ctx context.Context) error {
	s := f.session
	if until := s.opts.Lines.Until; until > 0 {
		t := time.AfterFunc(time.Until(time.Unix(0, until))+lineDelay, func() { s.cancel(errPastUntil) })
		defer t.Stop()
	}
	defer f.running.Wait()
	return s.observe(ctx, func(seen []workload) (bool, error) { return false, f.observe(ctx, seen) })
}

// observe starts a tail for each container that has started, and updates the watches of all tails.
func (f *follower) observe(ctx context.Context, seen []workload) error {
	startedLater := f.session.observed
	if err := f.session.explain(ctx, seen); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, c := range f.session.wantedContainers(ctx, seen) {
		key := string(c.pod.UID) + "/" + c.name
		wanted[key] = true
		v := viewOf(c.pod, c.name)
		if t := f.tails[key]; t != nil {
			t.watch.update(v)
		} else if v.current != "" {
			t := f.newTail(c)
			t.showAll = startedLater
			t.watch.update(v)
			f.tails[key] = t
			f.start(ctx, t)
		}
	}
	f.updateOthers(seen, wanted)
	return nil
}

// start runs a tail. An error of the tail ends the run.
func (f *follower) start(ctx context.Context, t *tail) {
	f.running.Go(func() {
		defer close(t.done)
		if err := t.run(ctx); err != nil {
			f.session.cancel(err)
		}
	})
}

// updateOthers updates the watches of tails whose container is no longer wanted, and removes finished tails.
func (f *follower) updateOthers(seen []workload, wanted map[string]bool) {
	for key, t := range f.tails {
		if wanted[key] {
			continue
		}
		// The Pod may exist but now belong to another revision (--revision new). It is still followed to its end.
		if p := podOf(seen, t.pod.UID); p != nil {
			t.watch.update(viewOf(p, t.origin.Container))
			continue
		}
		t.watch.update(view{podGone: true})
		select {
		case <-t.done:
			delete(f.tails, key)
		default:
		}
	}
}

func podOf(seen []workload, uid types.UID) *corev1.Pod {
	pods := podsIn(seen)
	i := slices.IndexFunc(pods, func(p *corev1.Pod) bool { return p.UID == uid })
	if i < 0 {
		return nil
	}
	return pods[i]
}
