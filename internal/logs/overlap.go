package logs

// overlap determines which lines of a stream an earlier stream had. A stream that is reopened at position.base begins
// with such lines. They also occur if the kubelet sends the newest file again. It opens each new file by name. If a
// log is rotated more than once before the stream reaches the end of its file, the kubelet therefore opens the newest
// file several times (k8s.io/cri-client/pkg/logs).
type overlap struct {
	mode overlapMode
	pos  *position // the lines seen
	left int64     // remaining known lines, with overlapCounted
	// gap is true if no line of the stream is known: lines between the last line seen and the stream's first may be
	// lost.
	gap bool
	// undecided is the last line for which judge returned lineUndecided.
	undecided lineID
}

type overlapMode int

const (
	overlapEnded     overlapMode = iota // all known lines have passed
	overlapUndecided                    // the first line has not come yet
	overlapCounted                      // a number of lines is known
	overlapByTime                       // lines are known up to the last line seen, or up to its timestamp
)

// overlap returns the overlap of a stream that is opened at p.
func (p *position) overlap() overlap {
	if !p.begun() {
		return overlap{pos: p}
	}
	return overlap{mode: overlapUndecided, pos: p}
}

// lineVerdict says whether a line is new.
type lineVerdict int

const (
	lineNew lineVerdict = iota
	lineKnown
	linePartlyKnown // position.passed bytes of the line are known
	lineUndecided   // known if the next line is also known (see wasSeen), otherwise new
	lineOld         // older than all remembered lines: the kubelet sends the file again, or the node's clock was set back
)

// judge returns whether a line is new. Call it for each line, in the order of the stream.
func (o *overlap) judge(at int64, id lineID) lineVerdict {
	switch o.mode {
	case overlapEnded:
		return o.judgeLater(at, id)
	case overlapUndecided:
		// If a log is rotated in the middle of a line, the new file begins with the rest of that line. An earlier
		// stream may have read the rest as part of the line and continued. As a separate line, the rest is then
		// unknown but older than a known line. A new line of stderr can also be older.
		if !o.pos.partial && at > o.pos.forgotten && at < o.pos.newest && !o.remembers(id) {
			o.undecided = id
			return lineUndecided
		}
		o.decide(at, id)
		return o.judge(at, id)
	case overlapCounted:
		o.left--
		if o.left > 0 {
			return lineKnown
		}
		return o.lastKnown()
	default:
		if at > o.pos.newest {
			o.mode = overlapEnded
			return lineNew
		}
		if id == o.pos.last {
			return o.lastKnown()
		}
		return lineKnown
	}
}

// judgeLater judges a line after the overlap at the beginning of the stream.
func (o *overlap) judgeLater(at int64, id lineID) lineVerdict {
	switch {
	case at >= o.pos.newest:
		return lineNew
	case o.pos.seenSince(id) > 0:
		o.undecided = id
		return lineUndecided
	case at > o.pos.forgotten: // a line of stderr, written at the same time as a line of stdout
		return lineNew
	default:
		return lineOld
	}
}

// lastKnown ends the overlap at the last line seen.
func (o *overlap) lastKnown() lineVerdict {
	o.mode = overlapEnded
	if o.pos.passed >= 0 {
		return linePartlyKnown
	}
	return lineKnown
}

// wasSeen reports whether the undecided line is known. The next line determines that.
func (o *overlap) wasSeen(next lineID) bool {
	if o.mode == overlapUndecided {
		return o.remembers(next)
	}
	return o.pos.isSuccessor(next, o.undecided)
}

// remembers reports whether the position still has a line.
func (o *overlap) remembers(id lineID) bool { return id == o.pos.first || o.pos.seenSince(id) > 0 }

// decide sets the mode from the first line of a stream, or of a file that is sent again.
func (o *overlap) decide(at int64, id lineID) {
	seen := o.pos.seenSince(id)
	switch {
	case o.pos.partial && at <= o.pos.newest: // the first second was only partly requested before
		o.mode = overlapByTime
	case id == o.pos.first: // the file, or its beginning, is the same
		o.mode, o.left = overlapCounted, o.pos.count
	case seen > 0: // the file was rotated after one of the last lines
		o.mode, o.left = overlapCounted, seen
	case at > o.pos.forgotten: // the line is new, because a line seen would be remembered
		o.mode, o.gap = overlapEnded, true
	default: // the file was rotated before the remembered lines
		o.mode = overlapByTime
	}
}
