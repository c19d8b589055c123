package logs

import (
	"context"
	"errors"
	"sync"
	"time"

	"norn/pkg/k8s/rollout"
)

// collect shows the lines that exist now, merged by time.
func (s *session) collect(ctx context.Context) error {
	var now []workload
	if err := s.observe(ctx, func(seen []workload) (bool, error) { now = seen; return true, nil }); err != nil {
		return err
	}
	if err := s.explain(ctx, now); err != nil {
		return err
	}
	m := &merger{out: &output{w: s.sink.Out, fail: s.cancel}}
	var failed failures
	for _, c := range s.wantedContainers(ctx, now) {
		instances := s.instances(c)
		if len(instances) == 0 {
			continue
		}
		q := newLineQueue(s.sink.Format(c.origin), len(m.queues))
		m.queues = append(m.queues, q)
		go func() {
			defer close(q.batches)
			show, err := s.beforePod(ctx, c.pod, false)
			if err != nil {
				s.cancel(err)
			}
			if err != nil || !show {
				return
			}
			w := s.watch(c.pod, c.name)
			w.update(viewOf(c.pod, c.name))
			for _, id := range instances {
				r := s.reader(c.pod, c.name, id, &batcher{ctx: ctx, to: q})
				r.first = s.firstRequest()
				if err := r.read(ctx, w); err != nil {
					failed.add(err)
					return
				}
			}
		}()
	}
	if err := m.run(ctx); err != nil {
		return err
	}
	return failed.err()
}

// instances returns the container IDs of the instances to show: the newest one, or the previous one. If the container
// has just started again in a crash loop, it returns both.
func (s *session) instances(c container) []string {
	v := viewOf(c.pod, c.name)
	if s.opts.Previous {
		if id := lastTerminated(c.pod, c.name); id != "" {
			return []string{id}
		}
		s.notices.once(s.sink.Notice, c.pod.Name+"/"+c.name+" has no previous instance")
		return nil
	}
	var ids []string
	if reason, _ := rollout.BlockedReason(c.pod, time.Now()); reason == rollout.CrashLoop && v.previous != "" {
		ids = append(ids, v.previous)
	}
	if v.current != "" {
		ids = append(ids, v.current)
	}
	return ids
}

// failures collects the errors of several readers.
type failures struct {
	mu   sync.Mutex
	errs []error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.errs...)
}

// batch is a sequence of pieces of one container.
type batch struct {
	text   []byte
	pieces []batchPiece
}

// batchPiece is a piece whose text is in its batch.
type batchPiece struct {
	at         int64
	upTo       int // end of the piece's text in the batch's text; the text begins where the previous piece ends
	begin, end bool
}

const batchSize = 32 << 10

// batcher is a receiver that fills batches for the merger.
type batcher struct {
	ctx context.Context //nolint:containedctx // the receiver lives as long as the run
	to  *lineQueue
	b   *batch

	open bool // a line has begun and not ended
}

func (r *batcher) take(p piece) error {
	if r.b == nil {
		select {
		case r.b = <-r.to.empty:
			r.b.text, r.b.pieces = r.b.text[:0], r.b.pieces[:0]
		default:
			r.b = &batch{}
		}
	}
	r.open = !p.end
	r.b.text = append(r.b.text, p.text...)
	r.b.pieces = append(r.b.pieces, batchPiece{p.at, len(r.b.text), p.begin, p.end})
	if len(r.b.text) < batchSize && len(r.b.pieces) < batchSize/16 {
		return nil
	}
	return r.send()
}

func (r *batcher) idle() error { return r.send() }

func (r *batcher) send() error {
	if r.b == nil {
		return nil
	}
	select {
	case r.to.batches <- r.b:
		r.b = nil
		return nil
	case <-r.ctx.Done():
		return context.Cause(r.ctx)
	}
}

func (r *batcher) flush() error {
	if r.open {
		if err := r.take(piece{end: true}); err != nil {
			return err
		}
	}
	return r.send()
}
