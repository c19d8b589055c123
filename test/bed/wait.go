package bed

import (
	"testing"
	"time"
)

// Eventually waits until holds returns true. If that takes too long, it ends the test.
func Eventually(tb testing.TB, within time.Duration, condition string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %s: %s", within, condition)
		}
	}
}
