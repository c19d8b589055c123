package redact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// pattern is one form of a value and the mark that replaces it.
type pattern struct{ text, mark []byte }

// matcher finds many patterns at once, and at each position the longest one. It hashes blocks of three bytes and skips
// blocks that are in no pattern, so it reads only a part of the text. The algorithm is by Wu and Manber ("A fast
// algorithm for multi-pattern searching", 1994).
type matcher struct {
	sorted  []pattern            // by text
	buckets map[uint64][]pattern // by bucketKey, longest first
	window  int                  // length of the shortest pattern, at most maxWindow
	shift   [1 << 16]uint8       // safe distance to move the window, by the hash of its last block
	first   [256]bool            // first bytes of patterns
}

const (
	minPattern = 6 // minimum length of a pattern in bytes
	maxWindow  = 32
	block      = 3 // bytes
)

// hash returns a block's index in the table of shifts. text starts one byte before the block.
func hash(text []byte) uint16 {
	product := (binary.LittleEndian.Uint32(text) >> 8) * 2654435761 // Knuth, The Art of Computer Programming, 6.4
	return uint16(product >> 16)                                    //nolint:gosec // the upper half
}

// newMatcher returns a matcher, or nil without patterns.
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
		k := bucketKey(p.text)
		m.buckets[k] = append(m.buckets[k], p)
	}
	for _, b := range m.buckets {
		slices.SortStableFunc(b, func(a, b pattern) int { return len(b.text) - len(a.text) })
	}
	return m
}

// bucketKey returns the first minPattern bytes of a text as a number.
func bucketKey(text []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(text)) | uint64(binary.LittleEndian.Uint16(text[4:]))<<32
}

// redact appends in to out and replaces patterns with their marks. Unless in is final, redact stops where a pattern
// may begin, and returns the rest.
func (m *matcher) redact(out, in []byte, final bool) (done, rest []byte) {
	from := 0 // in[:from] is already in out
	last := m.window - block - 1
	at := last // start of the window's last four bytes
	for at+4 <= len(in) {
		if skip := m.shift[hash(in[at:at+4])]; skip > 0 {
			at += int(skip)
			continue
		}
		i := at - last
		found, partial := m.match(in[i:])
		if partial && !final {
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
		if m.first[in[i]] && m.startsPattern(in[i:]) {
			end = i
		}
	}
	return append(out, in[from:end]...), in[end:]
}

// match returns the longest pattern that is a prefix of text. partial is true if text is a prefix of a longer pattern.
func (m *matcher) match(text []byte) (found *pattern, partial bool) {
	bucket := m.buckets[bucketKey(text)]
	for i, p := range bucket {
		if len(p.text) > len(text) {
			if bytes.HasPrefix(p.text, text) {
				return longestPrefix(bucket[i:], text), true
			}
		} else if bytes.HasPrefix(text, p.text) {
			return &bucket[i], false
		}
	}
	return nil, false
}

// longestPrefix returns the first of the patterns, sorted longest first, that is a prefix of text, or nil.
func longestPrefix(patterns []pattern, text []byte) *pattern {
	for i, p := range patterns {
		if bytes.HasPrefix(text, p.text) {
			return &patterns[i]
		}
	}
	return nil
}

// startsPattern reports whether text is a prefix of a pattern.
func (m *matcher) startsPattern(text []byte) bool {
	i := sort.Search(len(m.sorted), func(i int) bool { return bytes.Compare(m.sorted[i].text, text) >= 0 })
	return i < len(m.sorted) && bytes.HasPrefix(m.sorted[i].text, text)
}
