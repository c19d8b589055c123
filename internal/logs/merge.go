package logs

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"time"

	"norn/pkg/k8s/rollout"
)

// collect shows what is there now, merged by time.
func (s *session) collect(ctx context.Context) error {
	var now rollout.Observation
	if err := s.cluster.Observe(ctx, s.Namespace, s.App, func(seen rollout.Observation) (bool, error) { now = seen; return true, nil }); err != nil {
		return err
	}
	if err := s.explain(ctx, now); err != nil {
		return err
	}
	m := &merger{out: &output{w: s.sink.Out, fail: s.cancel}}
	var failed failures
	for _, c := range s.wantedContainers(now) {
		instances := s.instances(c)
		if len(instances) == 0 {
			continue
		}
		src := &source{format: s.sink.Format(c.origin), batches: make(chan *batch, 1), empty: make(chan *batch, 3), order: len(m.sources)}
		m.sources = append(m.sources, src)
		go func() {
			defer close(src.batches)
			w := s.witness(c.pod, c.name)
			w.tell(look(c.pod, c.name))
			for _, id := range instances {
				r := s.reader(c.pod, c.name, id, &batcher{ctx: ctx, to: src})
				r.first = s.beginning()
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

// instances are the container IDs whose logs are to be shown: the newest instance's, or the previous one's; of a crash loop
// that has just begun another round, both.
func (s *session) instances(c container) []string {
	v := look(c.pod, c.name)
	if s.Previous {
		if id := lastTerminated(c.pod, c.name); id != "" {
			return []string{id}
		}
		s.notes.once(s.sink.Notice, c.pod.Name+"/"+c.name+" has no previous instance")
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

// failures are the errors of readers.
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

// batch is a row of pieces of one container.
type batch struct {
	text   []byte
	pieces []cutPiece
}

// cutPiece is a piece whose text is in its batch.
type cutPiece struct {
	at         int64
	upTo       int // its end in text; it begins at the end of the one before
	begin, end bool
}

const batchSize = 32 << 10

// source is one container's pieces on their way to the merger.
type source struct {
	format  Format
	order   int
	batches chan *batch // closed at the end
	empty   chan *batch // batches to fill again

	b    *batch // what the merger is at
	i    int
	from int
}

// batcher is a receiver that hands batches to the merger.
type batcher struct {
	ctx context.Context //nolint:containedctx // the receiver's life is the run's
	to  *source
	b   *batch

	open bool // whether a line has begun that has not ended
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
	r.b.pieces = append(r.b.pieces, cutPiece{p.at, len(r.b.text), p.begin, p.end})
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

// merger writes the sources' lines in the order of their times. The order within a source is kept.
type merger struct {
	out     *output
	sources []*source
	chunk   []byte
}

func (m *merger) run(ctx context.Context) error {
	var h sources
	for _, s := range m.sources {
		if m.next(ctx, s) {
			h = append(h, s)
		}
	}
	heap.Init(&h)
	for len(h) > 0 && ctx.Err() == nil {
		s := h[0]
		last, err := m.emit(ctx, s, h)
		if err != nil {
			return err
		}
		if last {
			heap.Pop(&h)
		} else {
			heap.Fix(&h, 0)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return m.flush()
}

// emit writes lines of the first source for as long as they are the oldest; it reports whether the source has ended.
func (m *merger) emit(ctx context.Context, s *source, h sources) (last bool, err error) {
	limit := int64(1<<63 - 1)
	for _, i := range []int{1, 2} {
		if i < len(h) {
			limit = min(limit, h[i].head().at)
		}
	}
	for {
		p := s.head()
		m.append(s, p)
		s.from, s.i = p.upTo, s.i+1
		if len(m.chunk) >= chunkSize {
			if err := m.flush(); err != nil {
				return false, err
			}
		}
		if s.i == len(s.b.pieces) {
			if len(s.batches) == 0 { // there is time: the output need not wait
				if err := m.flush(); err != nil {
					return false, err
				}
			}
			if !m.next(ctx, s) {
				return true, nil
			}
		}
		if p.end && s.head().at > limit {
			return false, nil
		}
	}
}

func (m *merger) append(s *source, p cutPiece) {
	text := s.b.text[s.from:p.upTo]
	if p.begin && p.end {
		m.chunk = s.format.Line(m.chunk, time.Unix(0, p.at), text)
		return
	}
	if p.begin {
		m.chunk = s.format.Begin(m.chunk, time.Unix(0, p.at))
	}
	m.chunk = s.format.Part(m.chunk, text)
	if p.end {
		m.chunk = s.format.End(m.chunk)
	}
}

// next fetches a source's next batch; it reports whether there is one.
func (m *merger) next(ctx context.Context, s *source) bool {
	if s.b != nil {
		select {
		case s.empty <- s.b:
		default:
		}
	}
	select {
	case b, ok := <-s.batches:
		s.b, s.i, s.from = b, 0, 0
		return ok
	case <-ctx.Done():
		s.b = nil
		return false
	}
}

func (m *merger) flush() error {
	if len(m.chunk) == 0 {
		return nil
	}
	err := m.out.write(m.chunk)
	m.chunk = m.chunk[:0]
	return err
}

func (s *source) head() cutPiece { return s.b.pieces[s.i] }

// sources is a heap, the oldest line first.
type sources []*source

func (h sources) Len() int { return len(h) }
func (h sources) Less(i, j int) bool {
	a, b := h[i].head().at, h[j].head().at
	return a < b || a == b && h[i].order < h[j].order
}
func (h sources) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *sources) Push(x any) { *h = append(*h, x.(*source)) } //nolint:errcheck,forcetypeassert // only sources are pushed

// Pop implements heap.Interface.
func (h *sources) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
