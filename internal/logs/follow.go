package logs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/rollout"
)

// maxStreams is how many containers are followed at once; each takes a connection.
const maxStreams = 1000

// run follows: the watch tells the tails how their containers are.
func (s *session) run(ctx context.Context) error {
	f := &follower{session: s, out: &output{w: s.sink.Out, fail: s.cancel}, tails: map[string]*tail{}, streams: make(chan struct{}, maxStreams)}
	if s.Until > 0 {
		t := time.AfterFunc(time.Until(time.Unix(0, s.Until))+delay, func() { s.cancel(errPast) })
		defer t.Stop()
	}
	defer f.running.Wait()
	return s.cluster.Observe(ctx, s.Namespace, s.App, func(seen rollout.Observation) (bool, error) { return false, f.see(ctx, seen) })
}

// delay is how long a line may be on its way.
const delay = 2 * time.Second

// remembered is how many instances of a container are known after they have ended, since their status may come back.
const remembered = 8

type follower struct {
	*session
	out     *output
	tails   map[string]*tail // by pod UID and container
	streams chan struct{}
	running sync.WaitGroup
}

// see starts a tail for each container that has begun, and tells all of them the news.
func (f *follower) see(ctx context.Context, seen rollout.Observation) error {
	late := f.looked
	if err := f.explain(ctx, seen); err != nil {
		return err
	}
	there := map[string]bool{}
	for _, c := range f.wantedContainers(seen) {
		key := string(c.pod.UID) + "/" + c.name
		there[key] = true
		v := look(c.pod, c.name)
		t := f.tails[key]
		if t == nil && v.current != "" {
			t = &tail{follower: f, pod: c.pod, origin: c.origin, w: f.witness(c.pod, c.name), late: late, done: make(chan struct{})}
			f.tails[key] = t
			t.w.tell(v)
			f.running.Go(func() {
				defer close(t.done)
				if err := t.run(ctx); err != nil {
					f.cancel(err)
				}
			})
		}
		if t != nil {
			t.w.tell(v)
		}
	}
	for key, t := range f.tails {
		if there[key] {
			continue
		}
		if p := podOf(seen, t.pod.UID); p != nil { // of another revision now: it is followed to its end
			t.w.tell(look(p, t.origin.Container))
			continue
		}
		t.w.tell(view{gone: true})
		select {
		case <-t.done:
			delete(f.tails, key)
		default:
		}
	}
	return nil
}

func podOf(seen rollout.Observation, uid types.UID) *corev1.Pod {
	i := slices.IndexFunc(seen.Pods, func(p *corev1.Pod) bool { return p.UID == uid })
	if i < 0 {
		return nil
	}
	return seen.Pods[i]
}

// tail follows one container through its instances.
type tail struct {
	*follower
	pod    *corev1.Pod
	origin Origin
	w      *witness
	late   bool // whether the container began after the run did: all of it is shown
	done   chan struct{}

	readers []*reader // of the last instances
}

func (t *tail) run(ctx context.Context) error {
	for ctx.Err() == nil {
		r := t.next()
		if r == nil {
			if t.w.now().gone {
				return nil
			}
			t.w.wait(ctx, time.Minute)
			continue
		}
		if err := t.slot(ctx); err != nil {
			return nil //nolint:nilerr // the run is over
		}
		err := r.read(ctx, t.w)
		<-t.streams
		if err != nil && ctx.Err() == nil {
			return err
		}
		t.late = true
	}
	return nil
}

// next is the reader of the instance that is to be read next, or nil. One whose log was not read to its end goes on where it was: a kubelet
// that has been restarted may take a container for ended or unknown, and find it running later.
func (t *tail) next() *reader {
	v := t.w.now()
	for _, instance := range []string{v.previous, v.current} {
		how := v.access(instance)
		if instance == "" || how == unreachable || how == previous && !t.late {
			continue
		}
		i := slices.IndexFunc(t.readers, func(r *reader) bool { return r.instance == instance })
		if i < 0 {
			return t.begin(instance)
		}
		if r := t.readers[i]; r.have == some || r.have == nothing && how == previous || r.have < final && how == running {
			return r
		}
	}
	return nil
}

// begin makes the reader of an instance.
func (t *tail) begin(instance string) *reader {
	r := t.reader(t.pod, t.origin.Container, instance, &direct{out: t.out, format: t.sink.Format(t.origin)})
	if !t.late {
		r.first = t.beginning()
		if earlier := t.w.now().previous; earlier != "" { // had ended before this run
			t.readers = append(t.readers, &reader{instance: earlier, have: final})
		}
	}
	r.stray = func(id lineID) bool { return t.takeOver(r, id) }
	t.readers = append(t.readers, r)
	if extra := len(t.readers) - remembered; extra > 0 {
		t.readers = slices.Delete(t.readers, 0, extra)
	}
	return r
}

// slot waits for one of the streams there may be.
func (t *tail) slot(ctx context.Context) error {
	select {
	case t.streams <- struct{}{}:
		return nil
	default:
	}
	t.sink.Warn(fmt.Sprintf("more than %d containers at once: %s/%s waits until another ends (--pod and --container narrow)", maxStreams, t.pod.Name, t.origin.Container))
	select {
	case t.streams <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
