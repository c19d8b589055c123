package logs

import "hash/maphash"

// position is how far one container instance's log has been read. The API can be asked for lines only from a whole second on, many
// lines can bear one timestamp, and lines of stdout and stderr that are written at once need not be in the order of theirs. What is
// certain is the order in the file. So a position is a second, and how many lines of that second or later have been seen, in the order of
// the file: a stream that is opened again from that second on repeats exactly these.
//
// Where the file was rotated meanwhile, the new one begins somewhere else: its first line is not the first one of the second, and the lines
// seen last tell how much of it is known.
type position struct {
	base  int64  // nanoseconds of a whole second; lines from then on are counted
	count int64  // how many have been seen
	first lineID // the first of them
	last  lineID
	newest,
	lastAt int64 // the highest timestamp, and that of the last line

	// passed are the bytes of the last line that have been passed on, where it is not whole yet; -1 where it is.
	passed int64

	recent    [64]lineID // the last lines, oldest at next
	recentAt  [64]int64  // their timestamps
	next      int
	forgotten int64 // the highest timestamp of the lines before them
}

// lineID tells a line from others: by its timestamp and the beginning of its text.
type lineID uint64

const (
	second = int64(1e9)
	// idBytes of a line's text are enough beside its nanosecond.
	idBytes = 64
)

// hasher makes line IDs; they are compared within one process only.
type hasher struct{ seed maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed()} }

func (h hasher) id(at int64, text []byte) lineID {
	if len(text) > idBytes {
		text = text[:idBytes]
	}
	return lineID(maphash.Bytes(h.seed, text) ^ uint64(at)*0x9e3779b97f4a7c15) //nolint:gosec // any bits will do
}

// see counts a line that begins.
func (p *position) see(at int64, id lineID) {
	switch {
	case p.count == 0 || at >= p.base+second:
		p.base = at - at%second
		p.count, p.first = 1, id
	case at >= p.base:
		p.count++
	}
	p.newest = max(p.newest, at)
	p.last, p.lastAt, p.passed = id, at, -1
	p.forgotten = max(p.forgotten, p.recentAt[p.next])
	p.recent[p.next], p.recentAt[p.next] = id, at
	p.next = (p.next + 1) % len(p.recent)
}

// begun reports whether any line has been seen.
func (p *position) begun() bool { return p.count > 0 }

// knows returns how many lines were seen after the one with this ID, that one included, or 0 where it is none of the last.
func (p *position) knows(id lineID) int64 {
	for i := range p.recent {
		if p.recent[(p.next+i)%len(p.recent)] == id {
			return int64(len(p.recent) - i)
		}
	}
	return 0
}

// overlap leads through the beginning of a stream that was opened again from pos.base on: it tells the lines that were seen
// from those that are new. The zero value is for a stream whose lines are all new.
type overlap struct {
	how  overlapKind
	pos  position // where the earlier stream had come to
	left int64    // lines still to be skipped
	// gap is set where no line of the stream was known: between the earlier one's last line and this one's first others may have been.
	gap bool
}

type overlapKind int

const (
	allNew overlapKind = iota
	undecided
	counting // left lines are known
	byTime   // lines are known up to the last one's timestamp
)

// from returns what leads through a stream that is opened at p.
func (p *position) from() overlap {
	if !p.begun() {
		return overlap{}
	}
	return overlap{how: undecided, pos: *p}
}

// verdict on a line of the new stream.
type verdict int

const (
	fresh verdict = iota
	known
	halfKnown // the line of which position.passed bytes are known
)

// judge says whether a line is new. Lines come in the stream's order.
func (o *overlap) judge(at int64, id lineID) verdict {
	switch o.how {
	case allNew:
		return fresh
	case undecided:
		o.decide(at, id)
		return o.judge(at, id)
	case counting:
		o.left--
		if o.left > 0 {
			return known
		}
		o.how = allNew
		return o.lastKnown()
	default:
		if at > o.pos.newest {
			o.how = allNew
			return fresh
		}
		if id == o.pos.last {
			o.how = allNew
			return o.lastKnown()
		}
		return known
	}
}

func (o *overlap) lastKnown() verdict {
	if o.pos.passed >= 0 {
		return halfKnown
	}
	return known
}

// decide looks at the first line of the new stream.
func (o *overlap) decide(at int64, id lineID) {
	seen := o.pos.knows(id)
	switch {
	case id == o.pos.first: // the file is the same, or at least reaches back as far
		o.how, o.left = counting, o.pos.count
	case seen > 0: // rotated, after a line that is among the last
		o.how, o.left = counting, seen
	case at > o.pos.forgotten: // if it had been seen, it would be among the last
		o.how, o.gap = allNew, true
	default: // rotated, longer ago than the last lines reach
		o.how = byTime
	}
}
