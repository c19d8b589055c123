package redact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// matcher finds many patterns at once, and at each position the longest one. It hashes blocks of three bytes and skips
// blocks that are in no pattern, so it reads only a part of the text. The algorithm is by Wu and Manber ("A fast
// algorithm for multi-pattern searching", 1994).
type matcher struct {
	exact, hex index
	broken     brokenMatcher
	buckets    map[uint64][]pattern // by bucketKey, longest first
	window     int                  // length of the shortest pattern, at most maxWindow
	shift      [1 << 16]uint8       // safe distance to move the window, by the hash of its last block
	first      [256]bool            // first bytes of patterns
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
	patterns = slices.Clone(patterns)
	slices.SortFunc(patterns, func(a, b pattern) int {
		return cmp.Or(bytes.Compare(a.text, b.text), cmp.Compare(b.kind, a.kind), bytes.Compare(a.mark, b.mark))
	})
	patterns = slices.CompactFunc(patterns, func(a, b pattern) bool { return bytes.Equal(a.text, b.text) })
	if len(patterns) == 0 {
		return nil
	}
	m := &matcher{hex: index{fold: true}, buckets: map[uint64][]pattern{}, window: maxWindow}
	for _, p := range patterns {
		m.window = min(m.window, len(p.text))
	}
	for i := range m.shift {
		m.shift[i] = uint8(m.window - block + 1) //nolint:gosec // at most 30
	}
	for _, p := range patterns {
		m.add(p)
	}
	for _, b := range m.buckets {
		slices.SortStableFunc(b, func(a, b pattern) int { return len(b.text) - len(a.text) })
	}
	m.broken = newBrokenMatcher(patterns)
	return m
}

// add adds a pattern; patterns must be added in the order of their texts.
func (m *matcher) add(p pattern) {
	for end := block; end <= m.window; end++ {
		for _, text := range p.blocks(p.text[end-block : end]) {
			h := hash(append([]byte{0}, text[:]...))
			m.shift[h] = min(m.shift[h], uint8(m.window-end)) //nolint:gosec // at most 30
			m.first[text[0]] = m.first[text[0]] || end == block
		}
	}
	if p.kind == inHex {
		m.hex.sorted = append(m.hex.sorted, p)
	} else {
		m.exact.sorted = append(m.exact.sorted, p)
	}
	k := bucketKey(p.text)
	m.buckets[k] = append(m.buckets[k], p)
}

// blocks returns the texts that match a block of a pattern.
func (p *pattern) blocks(text []byte) [][block]byte {
	all := [][block]byte{[block]byte(text)}
	for i := 0; i < block && p.kind == inHex; i++ {
		for _, b := range all {
			if isLetter(b[i]) {
				b[i] ^= 0x20
				all = append(all, b)
			}
		}
	}
	return all
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// bucketKey returns the first minPattern bytes of a text as a number. Letters of either case have the same number.
func bucketKey(text []byte) uint64 {
	return (uint64(binary.LittleEndian.Uint32(text)) | uint64(binary.LittleEndian.Uint16(text[4:]))<<32) | 0x202020202020
}

// match returns the longest pattern that is a prefix of text. partial is true if text is a prefix of a longer pattern.
func (m *matcher) match(text []byte) (found *pattern, partial bool) {
	bucket := m.buckets[bucketKey(text)]
	for i := range bucket {
		p := &bucket[i]
		if n := min(len(text), len(p.text)); !p.equal(p.text[:n], text[:n]) {
			continue
		}
		if len(p.text) > len(text) {
			partial = true
			continue
		}
		return p, partial
	}
	return nil, partial
}

// equal compares parts of a pattern's text and of the output.
func (p *pattern) equal(part, text []byte) bool {
	if p.kind == inHex {
		return bytes.EqualFold(part, text)
	}
	return bytes.Equal(part, text)
}

// startsPattern reports whether text is a prefix of a pattern.
func (m *matcher) startsPattern(text []byte) bool {
	return m.first[text[0]] && (m.exact.startsWith(text) || m.hex.startsWith(text))
}
