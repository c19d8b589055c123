package logs

import (
	"container/heap"
	"context"
	"time"
)

// lineQueue passes one container's pieces from its reader to the merger.
type lineQueue struct {
	format  Format
	order   int         // among lines of the same time
	batches chan *batch // closed after the last one
	empty   chan *batch // batches to fill again

	// The merger's position: the next piece is b.pieces[i], and its text begins at b.text[from].
	b    *batch
	i    int
	from int
}

func newLineQueue(format Format, order int) *lineQueue {
	return &lineQueue{format: format, order: order, batches: make(chan *batch, 1), empty: make(chan *batch, 3)}
}

// head returns the next piece.
func (q *lineQueue) head() batchPiece { return q.b.pieces[q.i] }

// merger writes the lines of all queues in the order of their times. It keeps the order within a queue.
type merger struct {
	out    *output
	queues []*lineQueue
	chunk  []byte
}

func (m *merger) run(ctx context.Context) error {
	var h queueHeap
	for _, q := range m.queues {
		if m.receive(ctx, q) {
			h = append(h, q)
		}
	}
	heap.Init(&h)
	for len(h) > 0 && ctx.Err() == nil {
		ended, err := m.writeOldest(ctx, h)
		if err != nil {
			return err
		}
		if ended {
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

// writeOldest writes lines of the first queue as long as they are the oldest of all. It reports whether the queue has
// ended.
func (m *merger) writeOldest(ctx context.Context, h queueHeap) (ended bool, err error) {
	q := h[0]
	limit := int64(1<<63 - 1) // the time of the oldest line in the other queues
	for _, child := range []int{1, 2} {
		if child < len(h) {
			limit = min(limit, h[child].head().at)
		}
	}
	for {
		p := q.head()
		m.append(q, p)
		q.from, q.i = p.upTo, q.i+1
		if len(m.chunk) >= chunkSize {
			if err := m.flush(); err != nil {
				return false, err
			}
		}
		if q.i == len(q.b.pieces) {
			if len(q.batches) == 0 { // the reader has no more lines yet, so write the chunk while waiting
				if err := m.flush(); err != nil {
					return false, err
				}
			}
			if !m.receive(ctx, q) {
				return true, nil
			}
		}
		if p.end && q.head().at > limit {
			return false, nil
		}
	}
}

// append formats a piece.
func (m *merger) append(q *lineQueue, p batchPiece) {
	text := q.b.text[q.from:p.upTo]
	if p.begin && p.end {
		m.chunk = q.format.Line(m.chunk, time.Unix(0, p.at), text)
		return
	}
	if p.begin {
		m.chunk = q.format.Begin(m.chunk, time.Unix(0, p.at))
	}
	m.chunk = q.format.Part(m.chunk, text)
	if p.end {
		m.chunk = q.format.End(m.chunk)
	}
}

// receive waits for a queue's next batch. It reports whether there is one.
func (m *merger) receive(ctx context.Context, q *lineQueue) bool {
	if q.b != nil {
		select {
		case q.empty <- q.b:
		default:
		}
	}
	select {
	case b, ok := <-q.batches:
		q.b, q.i, q.from = b, 0, 0
		return ok
	case <-ctx.Done():
		q.b = nil
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

// queueHeap is a heap of queues. The queue with the oldest line comes first.
type queueHeap []*lineQueue

func (h queueHeap) Len() int { return len(h) }
func (h queueHeap) Less(i, j int) bool {
	a, b := h[i].head().at, h[j].head().at
	return a < b || a == b && h[i].order < h[j].order
}
func (h queueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *queueHeap) Push(x any) { *h = append(*h, x.(*lineQueue)) } //nolint:errcheck,forcetypeassert // only *lineQueue

// Pop implements heap.Interface.
func (h *queueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
