package k8s

import (
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
)

// conflictBackoff suits many writers of one object: in each round at least one of them succeeds. It lasts about three
// seconds.
var conflictBackoff = wait.Backoff{
	Duration: 10 * time.Millisecond, Factor: 1.5, Jitter: 0.5, Steps: 60, Cap: time.Second,
}

// RetryOnConflict calls write, which reads an object and changes it, until somebody else no longer changes the object
// in between; see IsConflict. It returns the last conflict if that does not end.
func RetryOnConflict(write func() error) error { return retry.RetryOnConflict(conflictBackoff, write) }
