package deploy

import (
	"strings"
	"testing"
)

// The number of Pods of a canary is at least one, and not more than the replicas.
func TestCanaryCount(t *testing.T) {
	for _, c := range []struct {
		pods     string
		replicas int32
		want     int32 // 0 for an error
	}{
		{"1", 4, 1}, {"3", 4, 3}, {"9", 4, 4}, {"25%", 4, 1}, {"25%", 5, 2}, {"1%", 10, 1}, {"100%", 3, 3}, {"200%", 3, 3},
		{"0", 4, 0}, {"-1", 4, 0}, {"0%", 4, 0}, {"-5%", 4, 0}, {"many", 4, 0}, {"%", 4, 0}, {"1.5", 4, 0}, {"2 Pods", 4, 0},
	} {
		got, err := CanaryOptions{Pods: c.pods}.count(c.replicas)
		if got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("%q of %d: %d, %v", c.pods, c.replicas, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "--canary "+c.pods) {
			t.Errorf("%q: the error does not name it: %v", c.pods, err)
		}
	}
}
