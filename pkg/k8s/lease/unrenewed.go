package lease

import (
	"fmt"
	"time"
)

// UnrenewedError reports that a run stopped because it could not renew its lock.
type UnrenewedError struct {
	App  string
	Last time.Duration // time since the last renewal
	Err  error         // of the latest attempt
}

// Error names the app and says for how long the lock was not renewed.
func (e *UnrenewedError) Error() string {
	return fmt.Sprintf("the lock of %s could not be renewed for %s: %v", e.App, e.Last, e.Err)
}

// Hint returns how to complete what the run has begun.
func (e *UnrenewedError) Hint() string {
	return fmt.Sprintf("run the same command again when the API server answers, to complete what this run began; "+
		"the lock expires after %s", leaseDuration)
}

func (e *UnrenewedError) Unwrap() error { return e.Err }
