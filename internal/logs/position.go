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

	// partial says that the second's first lines may not have been asked for.
	partial bool

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
		p.partial = p.partial && p.count == 0
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

// tip is how far a log has been read, for comparing it with how it ends.
type tip struct {
	begun  bool
	last   lineID
	newest int64
}

func (p *position) tip() tip { return tip{p.begun(), p.last, p.newest} }

// ending is how a log ends, compared with how far it has been read.
type ending int

const (
	unknown ending = iota
	same
	further
)

// compare looks at a log's last line. Lines before since were not asked for.
func (t tip) compare(at int64, id lineID, since int64) ending {
	switch {
	case t.begun && id == t.last, !t.begun && at < since:
		return same
	case !t.begun, at > t.newest:
		return further
	default: // a line of stderr that was written with one of stdout, perhaps
		return unknown
	}
}

// rewind lets times begin anew, since the node's clock was set back.
func (p *position) rewind() {
	p.count, p.newest, p.forgotten, p.partial = 0, 0, 0, false
	clear(p.recentAt[:])
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

// follows reports whether the one line came directly after the other, among the last.
func (p *position) follows(line, after lineID) bool {
	for i := range len(p.recent) - 1 {
		if p.recent[(p.next+i)%len(p.recent)] == after && p.recent[(p.next+i+1)%len(p.recent)] == line {
			return true
		}
	}
	return false
}

// overlap tells the lines of a stream that were seen from those that are new: at its beginning, where it was opened again from pos.base on, and
// where the kubelet sends the newest file from its beginning once more, as it does when a log was rotated more than once before
// the stream had come to an end (k8s.io/cri-client/pkg/logs: each file that was created is opened by its name).
type overlap struct {
	how  overlapKind
	pos  *position // what has been seen
	left int64     // lines still to be skipped
	// gap is set where no line of the stream was known: between the earlier one's last line and this one's first others may have been.
	gap bool
	// pending is the line that the next decides on.
	pending lineID
}

type overlapKind int

const (
	allNew overlapKind = iota
	undecided
	counting // left lines are known
	byTime   // lines are known up to the last one, or its timestamp
)

// from returns what leads through a stream that is opened at p.
func (p *position) from() overlap {
	if !p.begun() {
		return overlap{pos: p}
	}
	return overlap{how: undecided, pos: p}
}

// verdict on a line.
type verdict int

const (
	fresh verdict = iota
	known
	halfKnown // the line of which position.passed bytes are known
	pending   // known if the next line was seen too, which wasSeen tells, and fresh if not
	older     // than all that is remembered: the file comes once more, or the node's clock was set back
)

// judge says whether a line is new. Lines come in the stream's order.
func (o *overlap) judge(at int64, id lineID) verdict {
	switch o.how {
	case allNew:
		switch {
		case at >= o.pos.newest:
			return fresh
		case o.pos.knows(id) > 0:
			o.pending = id
			return pending
		case at > o.pos.forgotten: // one of stderr, written with those of stdout
			return fresh
		default:
			return older
		}
	case undecided:
		// When a log is rotated while a line is being written, the new file begins with the line's rest, which an earlier stream had put behind its
		// beginning, and may have gone on: it is a line that was never seen, and older than one that was. So may one of stderr be.
		if !o.pos.partial && at > o.pos.forgotten && at < o.pos.newest && !o.knows(id) {
			o.pending = id
			return pending
		}
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

// wasSeen reports by the line after it whether the pending line was seen.
func (o *overlap) wasSeen(next lineID) bool {
	if o.how == undecided {
		return o.knows(next)
	}
	return o.pos.follows(next, o.pending)
}

// knows reports whether a line is one that is remembered.
func (o *overlap) knows(id lineID) bool { return id == o.pos.first || o.pos.knows(id) > 0 }

func (o *overlap) lastKnown() verdict {
	if o.pos.passed >= 0 {
		return halfKnown
	}
	return known
}

// decide looks at the first line of what comes again, or might.
func (o *overlap) decide(at int64, id lineID) {
	seen := o.pos.knows(id)
	switch {
	case o.pos.partial && at <= o.pos.newest: // lines before those that were asked for come too
		o.how = byTime
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
