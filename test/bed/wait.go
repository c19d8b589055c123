package bed

import (
	"testing"
	"time"
)

// Eventually waits until a condition holds. The test ends if it does not hold in time.
func Eventually(tb testing.TB, within time.Duration, condition string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %s: %s", within, condition)
		}
	}
}
