package redact

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// minPiece is the minimum length of a piece of a broken encoding that is recognized on its own: the first one, or the
// second one after a shorter first one.
const minPiece = 8

// brokenMatcher finds values in base64 or hexadecimal that a program has broken into lines, such as openssl and xxd.
// The end of a line that is the beginning of a form is replaced, and so is what continues the form on the next lines.
// So no line has to wait for the next one.
type brokenMatcher struct {
	indexes [4]index
	longest int // length of the longest form

	heads, rests hashSet // of the first minPiece digits
}

// The indexes of a brokenMatcher: of the forms, and of their ends after the first 1 to 7 digits.
const (
	base64Heads = iota
	hexHeads
	base64Rests
	hexRests
)

func newBrokenMatcher(patterns []pattern) brokenMatcher {
	var b brokenMatcher
	for _, p := range patterns {
		if p.kind == exact {
			continue
		}
		b.longest = max(b.longest, len(p.text))
		to := base64Heads
		if p.kind == inHex {
			to = hexHeads
		}
		for skip := 0; skip < minPiece && len(p.text)-skip >= minPiece; skip++ {
			b.indexes[to].sorted = append(b.indexes[to].sorted, pattern{p.text[skip:], p.mark, p.kind})
			to |= base64Rests
		}
	}
	for i := range b.indexes {
		b.indexes[i].fold = i == hexHeads || i == hexRests
		slices.SortFunc(b.indexes[i].sorted, func(a, b pattern) int {
			return cmp.Or(bytes.Compare(a.text, b.text), bytes.Compare(a.mark, b.mark))
		})
	}
	b.heads, b.rests = newHashSet(b.indexes[:base64Rests]), newHashSet(b.indexes[base64Rests:])
	return b
}

// hashSet is a set of the hashes of texts of minPiece bytes. A false positive is possible but rare.
type hashSet struct {
	bits  []uint64
	shift uint8
}

func newHashSet(of []index) hashSet {
	n := len(of[0].sorted) + len(of[1].sorted)
	h := hashSet{shift: 64 - 10}
	for 1<<(64-h.shift) < 32*n {
		h.shift--
	}
	h.bits = make([]uint64, 1<<(64-h.shift-6))
	for _, x := range of {
		for _, p := range x.sorted {
			i := h.hash(p.text)
			h.bits[i/64] |= 1 << (i % 64)
		}
	}
	return h
}

func (h *hashSet) hash(text []byte) uint64 {
	folded := binary.LittleEndian.Uint64(text) | 0x2020202020202020
	return folded * 0x9e3779b97f4a7c15 >> h.shift // Knuth, as for blocks
}

func (h *hashSet) has(text []byte) bool {
	i := h.hash(text)
	return h.bits[i/64]&(1<<(i%64)) != 0
}

// isDigit says which bytes are digits of base64, in either alphabet, or its padding.
var isDigit = func() (is [256]bool) {
	for c := range is {
		is[c] = isLetter(byte(c)) || c >= '0' && c <= '9' //nolint:gosec // at most 255
	}
	for _, c := range "+/-_=" {
		is[c] = true
	}
	return is
}()

// digits returns the number of digits at the beginning of text.
func digits(text []byte) int {
	for i, c := range text {
		if !isDigit[c] {
			return i
		}
	}
	return len(text)
}

// head returns where the longest end of text begins that is the beginning of a form, and the index of the form. It
// returns a negative index if there is none.
func (b *brokenMatcher) head(text []byte) (from, of int) {
	from = len(text)
	for from > 0 && isDigit[text[from-1]] && len(text)-from < b.longest {
		from--
	}
	for ; len(text)-from >= minPiece; from++ {
		if !b.heads.has(text[from:]) {
			continue
		}
		for of := range b.indexes[:base64Rests] {
			if b.indexes[of].startsWith(text[from:]) {
				return from, of
			}
		}
	}
	return len(text), -1
}
