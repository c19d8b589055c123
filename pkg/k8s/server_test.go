package k8s

import (
	"testing"
	"time"
)

// The estimate accounts for the unknown fraction of a second and for the round trip.
func TestAhead(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		shown     time.Duration // the server's time, relative to begin
		roundTrip time.Duration
		ahead     time.Duration
		unsure    time.Duration
	}{
		{0, 0, 500 * time.Millisecond, 500 * time.Millisecond},
		{0, time.Second, 0, time.Second},
		{time.Minute, 20 * time.Millisecond, time.Minute + 490*time.Millisecond, 510 * time.Millisecond},
		{-time.Minute, 0, -time.Minute + 500*time.Millisecond, 500 * time.Millisecond},
	} {
		if got, unsure := ahead(begin.Add(c.shown), begin, c.roundTrip); got != c.ahead || unsure != c.unsure {
			t.Errorf("shown %s, round trip %s: got %s ± %s, want %s ± %s",
				c.shown, c.roundTrip, got, unsure, c.ahead, c.unsure)
		}
	}
}
