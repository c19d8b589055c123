package redact

import "bytes"

// nextBreak returns the position of the next line break, or of its escape in a string literal, or len(in).
func (s *scan) nextBreak() int {
	if s.newline < s.from {
		s.newline = s.findNewline(s.from)
	}
	if s.escaped < s.from {
		s.escaped = s.findEscaped(s.from)
	}
	return min(s.newline, s.escaped)
}

func (s *scan) findNewline(from int) int {
	if i := bytes.IndexByte(s.in[from:], '\n'); i >= 0 {
		return from + i
	}
	return len(s.in)
}

// findEscaped returns the position of the next \n or \r.
func (s *scan) findEscaped(from int) int {
	for from < len(s.in) {
		i := bytes.IndexByte(s.in[from:], '\\')
		if i < 0 {
			break
		}
		if from += i; escapedBreak(s.in[from:]) {
			return from
		}
		from++
	}
	return len(s.in)
}

func escapedBreak(text []byte) bool {
	return len(text) > 1 && text[0] == '\\' && (text[1] == 'n' || text[1] == 'r')
}

// isBreak reports whether text begins with a line break, or, if it is escaped, with the letter of its escape.
func isBreak(text []byte, escaped bool) bool {
	if escaped {
		return text[0] == 'n' || text[0] == 'r'
	}
	return text[0] == '\n' || text[0] == '\r'
}

// trimBreak returns a line without the beginning of its line break.
func trimBreak(line []byte) []byte {
	for n := len(line); n > 0 && (line[n-1] == '\r' || line[n-1] == '\\'); n-- {
		line = line[:n-1]
	}
	return line
}

// skipBreak returns the position after line breaks and indentation.
func (s *scan) skipBreak(i int) int {
	for i < len(s.in) {
		switch s.in[i] {
		case '\n', '\r', ' ', '\t':
			i++
		case '\\':
			n := i + len(s.in[i:]) - len(bytes.TrimLeft(s.in[i:], `\`))
			if n == len(s.in) || s.in[n] != 'n' && s.in[n] != 'r' {
				return i
			}
			i = n + 1
		default:
			return i
		}
	}
	return i
}
