package logs

// overlap tells which lines of a stream an earlier stream had. A stream that is reopened at position.base begins with
// such lines. They also occur if the kubelet sends the newest file again: it opens each file that was created by its
// name, so if a log is rotated more than once before the stream comes to the end of its file, the kubelet opens the
// newest file several times (k8s.io/cri-client/pkg/logs).
type overlap struct {
	mode overlapMode
	pos  *position // what has been seen
	left int64     // known lines still to come, with overlapCounted
	// gap is set if no line of the stream is known: lines between the last one seen and the stream's first may be lost.
	gap bool
	// undecided is the line for which judge returned lineUndecided last.
	undecided lineID
}

type overlapMode int

const (
	overlapEnded     overlapMode = iota // all known lines have passed
	overlapUndecided                    // the first line is still to come
	overlapCounted                      // a number of lines is known
	overlapByTime                       // lines are known up to the last one seen, or up to its timestamp
)

// overlap returns the overlap of a stream that is opened at p.
func (p *position) overlap() overlap {
	if !p.begun() {
		return overlap{pos: p}
	}
	return overlap{mode: overlapUndecided, pos: p}
}

// lineVerdict is whether a line is new.
type lineVerdict int

const (
	lineNew lineVerdict = iota
	lineKnown
	linePartlyKnown // position.passed bytes of the line are known
	lineUndecided   // known if the next line is known, too (see wasSeen); otherwise new
	lineOld         // older than all remembered lines: the file is sent again, or the node's clock was set back
)

// judge returns whether a line is new. It has to be called with each line, in the order of the stream.
func (o *overlap) judge(at int64, id lineID) lineVerdict {
	switch o.mode {
	case overlapEnded:
		return o.judgeLater(at, id)
	case overlapUndecided:
		// If a log is rotated while a line is being written, the new file begins with the rest of that line. A stream
		// that was open then has read it as part of the line and may have gone on, so as a line of its own it is
		// unknown, yet older than one that is known. A new line of stderr may be, too.
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
	case at > o.pos.forgotten: // a line of stderr that was written at once with one of stdout
		return lineNew
	default:
		return lineOld
	}
}

// lastKnown ends the overlap with the last line seen.
func (o *overlap) lastKnown() lineVerdict {
	o.mode = overlapEnded
	if o.pos.passed >= 0 {
		return linePartlyKnown
	}
	return lineKnown
}

// wasSeen reports whether the undecided line is known, judging by the line after it.
func (o *overlap) wasSeen(next lineID) bool {
	if o.mode == overlapUndecided {
		return o.remembers(next)
	}
	return o.pos.isSuccessor(next, o.undecided)
}

// remembers reports whether a line is among the remembered ones.
func (o *overlap) remembers(id lineID) bool { return id == o.pos.first || o.pos.seenSince(id) > 0 }

// decide sets the mode by the first line of a stream, or of a file that is sent again.
func (o *overlap) decide(at int64, id lineID) {
	seen := o.pos.seenSince(id)
	switch {
	case o.pos.partial && at <= o.pos.newest: // the stream has lines of the second that were not requested before
		o.mode = overlapByTime
	case id == o.pos.first: // the file is the same, or its beginning is
		o.mode, o.left = overlapCounted, o.pos.count
	case seen > 0: // the file was rotated after one of the last lines
		o.mode, o.left = overlapCounted, seen
	case at > o.pos.forgotten: // the line is new: if it had been seen, it would be remembered
		o.mode, o.gap = overlapEnded, true
	default: // the file was rotated before the lines that are remembered
		o.mode = overlapByTime
	}
}
