package logs

import "time"

// timestampParser reads the timestamps that the kubelet puts before lines: RFC 3339 with nine digits of nanoseconds,
// in UTC or the node's zone (k8s.io/cri-client/pkg/logs). It caches the last second, because most lines share the
// second of the previous line.
type timestampParser struct {
	last [19]byte // such as 2026-11-24T08:43:37
	zone string
	unix int64 // the time of last and zone, in nanoseconds
	used bool  // a timestamp has been read
}

const (
	secondLen    = len("2026-11-24T08:43:37")
	shortestTime = len("2026-11-24T08:43:37Z ")
)

// parse returns the time at the beginning of a line, and the length of the timestamp with the space after it. The
// length is 0 if the line has no timestamp.
func (c *timestampParser) parse(line []byte) (at int64, n int) {
	if len(line) < shortestTime || line[4] != '-' || line[10] != 'T' {
		return 0, 0
	}
	frac, i := fraction(line, secondLen)
	end := i
	for end < len(line) && line[end] != ' ' {
		if end-i > len("+00:00") {
			return 0, 0
		}
		end++
	}
	if end == len(line) || end == i {
		return 0, 0
	}
	if !c.used || string(line[:secondLen]) != string(c.last[:]) || string(line[i:end]) != c.zone {
		t, err := time.Parse(time.RFC3339, string(line[:secondLen])+string(line[i:end]))
		if err != nil {
			return 0, 0
		}
		copy(c.last[:], line)
		c.zone, c.unix, c.used = string(line[i:end]), t.UnixNano(), true
	}
	return c.unix + frac, end + 1
}

// fraction parses the fraction of a second at index i, if any. It returns the nanoseconds and the index after the
// fraction.
func fraction(line []byte, i int) (ns int64, after int) {
	if line[i] != '.' {
		return 0, i
	}
	i++
	digits := 0
	for ; i < len(line) && line[i] >= '0' && line[i] <= '9' && digits < 9; i++ {
		ns = ns*10 + int64(line[i]-'0')
		digits++
	}
	for ; digits < 9; digits++ {
		ns *= 10
	}
	return ns, i
}
