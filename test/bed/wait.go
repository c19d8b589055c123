package bed

import (
	"testing"
	"time"
)

// busy is how many times longer a condition may take on a machine that is busy with others.
const busy = 5

// Eventually waits until holds returns true, for busy times within. If it takes longer, it ends the test.
func Eventually(tb testing.TB, within time.Duration, condition string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(busy * within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("not within %s: %s", busy*within, condition)
		}
	}
}
