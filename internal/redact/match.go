package redact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// pattern is one form of a value, and what stands in its place.
type pattern struct{ text, mark []byte }

// matcher finds many patterns at once, the leftmost first and of those the longest. It looks at three bytes at a time
// and skips what no pattern can hold, as Wu and Manber do ("A fast algorithm for multi-pattern searching", 1994): most
// of a text is never looked at.
type matcher struct {
	sorted  []pattern            // by text
	buckets map[uint64][]pattern // by their first bytes, longest first
	window  int                  // bytes of the shortest pattern, which are looked at together
	shift   [1 << 16]uint8       // by the last block of a window: how far it may move
	first   [256]bool            // the bytes that patterns begin with
}

const (
	minPattern = 6 // the fewest bytes of a pattern
	maxWindow  = 32
	block      = 3 // bytes
)

// hash is a block's place in the table of shifts. It reads a byte more, in front of it.
func hash(text []byte) uint16 {
	return uint16((binary.LittleEndian.Uint32(text) >> 8) * 2654435761 >> 16) //nolint:gosec // its upper half (Knuth, 6.4)
}

// newMatcher is nil where there is nothing to find.
func newMatcher(patterns []pattern) *matcher {
	slices.SortFunc(patterns, func(a, b pattern) int {
		return cmp.Or(bytes.Compare(a.text, b.text), bytes.Compare(a.mark, b.mark))
	})
	patterns = slices.CompactFunc(patterns, func(a, b pattern) bool { return bytes.Equal(a.text, b.text) })
	if len(patterns) == 0 {
		return nil
	}
	m := &matcher{sorted: patterns, buckets: map[uint64][]pattern{}, window: maxWindow}
	for _, p := range patterns {
		m.window = min(m.window, len(p.text))
	}
	for i := range m.shift {
		m.shift[i] = uint8(m.window - block + 1) //nolint:gosec // at most 30
	}
	for _, p := range patterns {
		for end := block; end <= m.window; end++ {
			h := hash(append([]byte{0}, p.text[end-block:end]...))
			m.shift[h] = min(m.shift[h], uint8(m.window-end)) //nolint:gosec // likewise
		}
		m.first[p.text[0]] = true
		k := start(p.text)
		m.buckets[k] = append(m.buckets[k], p)
	}
	for _, b := range m.buckets {
		slices.SortStableFunc(b, func(a, b pattern) int { return len(b.text) - len(a.text) })
	}
	return m
}

// start is the first bytes of a pattern as a number.
func start(text []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(text)) | uint64(binary.LittleEndian.Uint16(text[4:]))<<32
}

// redact appends in to out without the patterns. Unless the text is final, it ends where a pattern may have begun, and
// returns the rest.
func (m *matcher) redact(out, in []byte, final bool) (done, rest []byte) {
	from := 0 // what is before is in out
	last := m.window - block - 1
	at := last // of the window's last four bytes
	for at+4 <= len(in) {
		if skip := m.shift[hash(in[at:at+4])]; skip > 0 {
			at += int(skip)
			continue
		}
		i := at - last
		found, begun := m.at(in[i:])
		if begun && !final {
			return append(out, in[from:i]...), in[i:]
		}
		if found == nil {
			at++
			continue
		}
		out = append(append(out, in[from:i]...), found.mark...)
		from = i + len(found.text)
		at = from + last
	}
	end := len(in)
	for i := at - last; i < end && !final; i++ {
		if m.first[in[i]] && m.begins(in[i:]) {
			end = i
		}
	}
	return append(out, in[from:end]...), in[end:]
}

// at is the longest pattern that text begins with. Where text is too short to tell, a pattern has begun.
func (m *matcher) at(text []byte) (found *pattern, begun bool) {
	bucket := m.buckets[start(text)]
	for i, p := range bucket {
		if len(p.text) > len(text) {
			if bytes.HasPrefix(p.text, text) {
				return m.whole(bucket[i:], text), true
			}
		} else if bytes.HasPrefix(text, p.text) {
			return &bucket[i], false
		}
	}
	return nil, false
}

// whole is the longest of the patterns that text begins with.
func (*matcher) whole(patterns []pattern, text []byte) *pattern {
	for i, p := range patterns {
		if bytes.HasPrefix(text, p.text) {
			return &patterns[i]
		}
	}
	return nil
}

// begins reports whether a pattern begins with text.
func (m *matcher) begins(text []byte) bool {
	i := sort.Search(len(m.sorted), func(i int) bool { return bytes.Compare(m.sorted[i].text, text) >= 0 })
	return i < len(m.sorted) && bytes.HasPrefix(m.sorted[i].text, text)
}
