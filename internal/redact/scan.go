package redact

import "bytes"

// ending says what follows a part of a text.
type ending int

const (
	more    ending = iota // more text
	newline               // a line break, and then more text
	nothing
)

// resumption is where a broken encoding may continue: after a line break.
type resumption struct {
	active bool
	// before has the digits so far. Without digits, a short first piece may have been before, which is not recognized.
	before []byte
	of     int  // their index
	span   span // the patterns that begin with them
}

// in returns the resumption for another matcher.
func (r resumption) in(m *matcher) resumption {
	if r.active && len(r.before) > 0 {
		r.span = m.broken.indexes[r.of].find(r.before)
	}
	return r
}

// scan is a matcher's pass over a part of a text.
type scan struct {
	*matcher
	resumption
	in   []byte
	end  ending
	out  []byte
	from int // in[:from] is in out

	newline, escaped int  // the next line breaks at or after from; see nextBreak
	carried          bool // the resumption began in an earlier part
	began, waiting   int  // where the resumption began, and where it waits for text
}

// run replaces patterns with their marks. Unless nothing follows, it stops where a pattern may begin, and returns the
// position.
func (s *scan) run() (stop int) {
	s.newline, s.escaped = -1, -1
	if s.carried = s.active; s.active {
		if hold, ok := s.resume(0); !ok {
			return s.stop(hold)
		}
	}
	last := s.window - block - 1
	at := s.from + last // start of the window's last four bytes
	for at+4 <= len(s.in) {
		if skip := s.shift[hash(s.in[at:at+4])]; skip > 0 {
			at += int(skip)
			continue
		}
		i := at - last
		found, partial := s.match(s.in[i:])
		hold := partial && s.end == more
		if found == nil && !hold {
			at++
			continue
		}
		if stop, ok := s.breaks(i); !ok {
			return s.stop(stop)
		}
		switch {
		case s.from > i: // a broken encoding reaches further
		case hold:
			return s.stop(i)
		default:
			if stop, ok := s.replaceLongest(i, found); !ok {
				return s.stop(stop)
			}
		}
		at = s.from + last
	}
	limit, ok := s.breaks(len(s.in))
	if ok {
		limit = len(s.in)
	}
	return s.stop(min(limit, s.tail(max(s.from, at-last))))
}

// replaceLongest replaces the pattern that begins at i, or a piece of a broken encoding of which the pattern is only a
// part. If the text must wait for more, it returns the position, and false.
func (s *scan) replaceLongest(i int, found *pattern) (stop int, ok bool) {
	end := i + len(found.text)
	if found.kind == exact || end == len(s.in) || !isDigit[s.in[end]] {
		s.replace(i, end, found.mark)
		return 0, true
	}
	lineEnd := end + digits(s.in[end:])
	rest := bytes.TrimLeft(s.in[lineEnd:], `\`)
	growing := len(rest) == 0 && s.end == more
	if !growing && len(rest) > 0 && !isBreak(rest, len(s.in)-len(rest) > lineEnd) {
		s.replace(i, end, found.mark)
		return 0, true
	}
	from, of := s.broken.head(s.in[s.from:lineEnd])
	switch {
	case of < 0 || s.from+from > i:
		s.replace(i, end, found.mark)
		return 0, true
	case growing:
		return s.from + from, false
	default:
		s.breakAt(lineEnd)
		return s.resume(lineEnd)
	}
}

// stop appends the text up to i to out, and returns the position from which on the text must wait. Unless a broken
// encoding is certain, the text waits from the line break on, so that all of it is judged again.
func (s *scan) stop(i int) int {
	switch {
	case !s.active || i >= s.waiting && (len(s.before) > 0 || i == len(s.in)):
	case len(s.before) > 0:
		i = s.waiting
	default:
		i, s.active = min(i, s.began), s.began == 0 && s.carried
	}
	s.out = append(s.out, s.in[s.from:i]...)
	return i
}

// replace appends the text up to i, and mark for the text from i to end.
func (s *scan) replace(i, end int, mark []byte) {
	s.out = append(append(s.out, s.in[s.from:i]...), mark...)
	s.from = end
}

// tail returns the position from which on the text must wait for more. There is no pattern before i.
func (s *scan) tail(i int) int {
	if s.end != more {
		if !s.active {
			s.breakAt(len(s.in))
		}
		return len(s.in)
	}
	end := len(s.in)
	for ; i < end; i++ {
		if s.first[s.in[i]] && s.startsPattern(s.in[i:]) {
			end = i
		}
	}
	line := trimBreak(s.in[s.from:])
	if s.from+len(line) == len(s.in) {
		return end
	}
	if from, of := s.broken.head(line); of >= 0 { // the text may end inside of a line break
		end = min(end, s.from+from)
	}
	if last := len(s.in) - 1; s.in[last] == '\\' {
		end = min(end, last)
	}
	return end
}

// breaks handles the line breaks before limit. If the text must wait for more, it returns the position, and false.
func (s *scan) breaks(limit int) (stop int, ok bool) {
	for !s.active { // else the resumption waits after the last line break
		i := s.nextBreak()
		if i >= limit || i+1 == limit && s.overlapsEscape(i) {
			break
		}
		s.breakAt(i)
		if stop, ok := s.resume(i); !ok {
			return stop, false
		}
		if s.newline == i {
			s.newline = s.findNewline(i + 1)
		} else {
			s.escaped = s.findEscaped(i + 2)
		}
	}
	return 0, true
}

// overlapsEscape reports whether a pattern that begins after the backslash at i is preferred to an escaped line break.
func (s *scan) overlapsEscape(i int) bool {
	if i != s.escaped || i+1 == len(s.in) {
		return false
	}
	_, of := s.broken.head(trimBreak(s.in[s.from:i]))
	return of < 0
}

// breakAt replaces the end of a line that is the beginning of a broken encoding. i is the position of its line break.
func (s *scan) breakAt(i int) {
	line := trimBreak(s.in[s.from:i])
	s.active, s.carried, s.began, s.before = true, false, i, s.before[:0]
	from, of := s.broken.head(line)
	if of < 0 {
		return
	}
	head := line[from:]
	s.before, s.of, s.span = append(s.before, head...), of, s.broken.indexes[of].find(head)
	s.replace(s.from+from, s.from+len(line), s.mark())
}

// mark returns the mark of the broken encoding.
func (s *scan) mark() []byte { return s.broken.indexes[s.of].sorted[s.span.low].mark }

// resume handles the text at i, which is after a line break or begins with it. If the text must wait for more, it
// returns the position, and false.
func (s *scan) resume(i int) (stop int, ok bool) {
	for first := true; s.active; first = false {
		next := s.skipBreak(max(i, s.from))
		s.waiting = next
		switch {
		case next == len(s.in):
			return 0, true
		case s.end == more && len(bytes.TrimLeft(s.in[next:], `\`)) == 0: // it may end inside of a line break
			return next, false
		}
		run := s.in[next : next+digits(s.in[next:])]
		n, wait := 0, false
		if len(run) > 0 && (first || next > i) {
			n, wait = s.continues(run, s.end == more && next+len(run) == len(s.in))
		}
		switch {
		case wait:
			return next, false
		case n == 0:
			s.active = false
		default:
			s.replace(next, next+n, s.mark())
			i = s.from
		}
	}
	return 0, true
}

// continues returns how many digits of run, after a line break, continue a broken encoding. It ends the resumption if
// the encoding is complete. growing says that run may have more digits, and wait that the result depends on them.
func (s *scan) continues(run []byte, growing bool) (n int, wait bool) {
	if len(s.before) > 0 {
		return s.follow(s.of, s.span, run, growing)
	}
	rests := s.broken.indexes[base64Rests:]
	if len(run) < minPiece {
		return 0, growing && (rests[0].startsWith(run) || rests[1].startsWith(run))
	}
	if !s.broken.rests.has(run) {
		return 0, false
	}
	for i := range rests {
		if n, wait := s.follow(base64Rests+i, rests[i].all(), run, growing); wait || n > 0 {
			return n, wait
		}
	}
	return 0, false
}

// follow is continues for the patterns of a span.
func (s *scan) follow(of int, from span, run []byte, growing bool) (n int, wait bool) {
	x := &s.broken.indexes[of]
	n, rest, complete := x.follow(from, run)
	switch {
	case n == len(run) && x.longer(rest):
		if growing {
			return 0, true
		}
		s.before, s.of, s.span = append(s.before, run...), of, rest
		return n, false
	case complete > 0:
		s.of, s.span, s.active = of, rest, false
		return complete, false
	default:
		return 0, false
	}
}
