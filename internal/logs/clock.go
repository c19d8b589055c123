package logs

import "time"

// clock reads the timestamps that the kubelet puts before lines: RFC 3339 with nine digits of nanoseconds, in UTC or the node's zone
// (k8s.io/cri-client/pkg/logs). It remembers the last second, which most lines share with the one before.
type clock struct {
	last [19]byte // such as 2026-11-24T08:43:37
	zone string
	unix int64 // what last and zone are, in nanoseconds
	used bool  // whether any timestamp was read
}

const (
	secondLen = len("2026-11-24T08:43:37")
	shortest  = len("2026-11-24T08:43:37Z ")
)

// parse returns the time at the beginning of a line and how many bytes it takes with the space behind it, or 0 bytes where there is none.
func (c *clock) parse(line []byte) (at int64, n int) {
	if len(line) < shortest || line[4] != '-' || line[10] != 'T' {
		return 0, 0
	}
	var frac int64
	i := secondLen
	if line[i] == '.' {
		i++
		digits := 0
		for ; i < len(line) && line[i] >= '0' && line[i] <= '9' && digits < 9; i++ {
			frac = frac*10 + int64(line[i]-'0')
			digits++
		}
		for ; digits < 9; digits++ {
			frac *= 10
		}
	}
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
