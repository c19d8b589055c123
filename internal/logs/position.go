package logs

import "hash/maphash"

// position is how far a reader has read the log of one container instance.
//
// The API returns lines from a whole second on. Many lines can have the same timestamp, and lines written to stdout
// and stderr at the same time might not be in the order of their timestamps. Only the order in the file is reliable. So
// a position is a second and the number of lines seen from that second on, in the order of the file. A stream opened
// at that second repeats exactly these lines.
//
// If the file was rotated in the meantime, the first line of the new file is not the first line of the second. The
// last lines seen then determine how much of the new file is known.
type position struct {
	base   int64  // nanoseconds of a whole second, from which lines are counted
	count  int64  // lines seen since base
	first  lineID // the first of them
	last   lineID
	newest int64 // the highest timestamp

	// partial is true if the first lines of the second might not have been requested.
	partial bool

	// passed is the number of bytes of the last line that were passed on, or -1 if the whole line was.
	passed int64

	recent    [64]lineID // the last lines; the oldest is at index next
	recentAt  [64]int64  // their timestamps
	next      int
	forgotten int64 // the highest timestamp of the lines before recent
}

// lineID identifies a line by its timestamp and the beginning of its text.
type lineID uint64

const (
	second = int64(1e9)
	// idBytes is the number of bytes of a line's text in its ID. Together with the timestamp's nanoseconds, they are
	// enough.
	idBytes = 64
)

// hasher makes line IDs, which can be compared only within one process.
type hasher struct{ seed maphash.Seed }

func newHasher() hasher { return hasher{maphash.MakeSeed()} }

func (h hasher) id(at int64, text []byte) lineID {
	if len(text) > idBytes {
		text = text[:idBytes]
	}
	return lineID(maphash.Bytes(h.seed, text) ^ uint64(at)*0x9e3779b97f4a7c15) //nolint:gosec // any bits will do
}

// see counts a new line.
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
	p.last, p.passed = id, -1
	p.forgotten = max(p.forgotten, p.recentAt[p.next])
	p.recent[p.next], p.recentAt[p.next] = id, at
	p.next = (p.next + 1) % len(p.recent)
}

// clockSetBack discards all times, because the node's clock was set back.
func (p *position) clockSetBack() {
	p.count, p.newest, p.forgotten, p.partial = 0, 0, 0, false
	clear(p.recentAt[:])
}

// begun reports whether any line has been seen.
func (p *position) begun() bool { return p.count > 0 }

// seenSince returns the number of lines seen from the line with this ID on, including that line. It returns 0 if the
// line is not one of the last lines.
func (p *position) seenSince(id lineID) int64 {
	for i := range p.recent {
		if p.recent[(p.next+i)%len(p.recent)] == id {
			return int64(len(p.recent) - i)
		}
	}
	return 0
}

// isSuccessor reports whether line followed before directly, among the last lines.
func (p *position) isSuccessor(line, before lineID) bool {
	for i := range len(p.recent) - 1 {
		if p.recent[(p.next+i)%len(p.recent)] == before && p.recent[(p.next+i+1)%len(p.recent)] == line {
			return true
		}
	}
	return false
}

// lastRead is the part of a position that is compared with the end of a log.
type lastRead struct {
	any    bool // a line has been read
	id     lineID
	newest int64
}

func (p *position) lastRead() lastRead { return lastRead{p.begun(), p.last, p.newest} }

// logEnd is the relation of a log's last line to the last line read.
type logEnd int

const (
	endUnknown logEnd = iota
	endReached        // the log's last line is the last line read
	endAhead          // the log's last line comes after the last line read
)

// compare returns the relation to the last line of a log. Lines before since were not requested.
func (l lastRead) compare(at int64, id lineID, since int64) logEnd {
	switch {
	case l.any && id == l.id, !l.any && at < since:
		return endReached
	case !l.any, at > l.newest:
		return endAhead
	default: // perhaps a line of stderr, written at the same time as a line of stdout
		return endUnknown
	}
}
