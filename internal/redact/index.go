package redact

import "sort"

// index finds patterns by their beginning.
type index struct {
	sorted []pattern // by text
	fold   bool      // ignores the case of letters; the patterns have lower case
}

// span is a range of an index's patterns that begin with the same depth bytes.
type span struct{ low, high, depth int }

func (x *index) all() span { return span{0, len(x.sorted), 0} }

// next returns the patterns in s that continue with c.
func (x *index) next(s span, c byte) span {
	if x.fold && c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	at := func(i int) int { // the byte after the common ones, or -1
		if text := x.sorted[s.low+i].text; len(text) > s.depth {
			return int(text[s.depth])
		}
		return -1
	}
	n := s.high - s.low
	from := sort.Search(n, func(i int) bool { return at(i) >= int(c) })
	to := from + sort.Search(n-from, func(i int) bool { return at(from+i) > int(c) })
	return span{s.low + from, s.low + to, s.depth + 1}
}

func (s span) empty() bool { return s.low >= s.high }

// find returns the patterns that begin with text.
func (x *index) find(text []byte) span {
	s := x.all()
	for _, c := range text {
		if s = x.next(s, c); s.empty() {
			break
		}
	}
	return s
}

// longer reports whether a pattern in s has more than the common bytes.
func (x *index) longer(s span) bool { return !s.empty() && len(x.sorted[s.high-1].text) > s.depth }

// startsWith reports whether a pattern begins with text.
func (x *index) startsWith(text []byte) bool { return !x.find(text).empty() }

// follow compares the bytes of text with the patterns in s. It returns the number of equal bytes, the patterns that
// begin with them, and the number of bytes after which the longest complete pattern ends, or 0.
func (x *index) follow(s span, text []byte) (n int, rest span, complete int) {
	for n < len(text) {
		next := x.next(s, text[n])
		if next.empty() {
			break
		}
		s, n = next, n+1
		if len(x.sorted[s.low].text) == s.depth {
			complete = n
		}
	}
	return n, s, complete
}
