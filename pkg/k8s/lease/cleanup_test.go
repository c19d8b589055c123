package lease

import (
	"testing"
	"testing/synctest"
	"time"
)

// A cleanup ends once: when it is canceled, or after its time, even if it is blocked and never canceled.
func TestCleanupEnds(t *testing.T) {
	const timeout = 10 * time.Second
	for name, c := range map[string]struct {
		canceled, end time.Duration // since the beginning
	}{
		"in time": {time.Second, time.Second},
		"blocked": {time.Hour, timeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var ends []time.Duration
				ctx := WithCleanups(t.Context(), func() func() {
					return func() { ends = append(ends, time.Since(begin)) }
				})
				_, cancel := CleanupContext(ctx, timeout)
				time.Sleep(c.canceled)
				cancel()
				time.Sleep(time.Hour)
				synctest.Wait()
				if len(ends) != 1 || ends[0] != c.end {
					t.Errorf("ended after %v, want %s", ends, c.end)
				}
			})
		})
	}
}
