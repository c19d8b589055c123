package lease

import (
	"fmt"
	"time"
)

// HeldError reports that somebody else holds the app's lock.
type HeldError struct {
	App, User, Host, Command, Job string
	Since                         time.Time
	Lost                          bool // this run held the lock, and somebody took it over
}

// Error names the holder, its command and since when it holds the lock.
func (e *HeldError) Error() string {
	what := "is locked by"
	if e.Lost {
		what = "was taken over by"
	}
	return fmt.Sprintf("%s %s %s", e.App, what, e.holder())
}

func (e *HeldError) holder() string {
	if e.User == "" {
		return "somebody who has deleted its Lease"
	}
	text := fmt.Sprintf("%s@%s (%s, since %s)", e.User, e.Host, e.Command, e.Since.UTC().Format("15:04:05 MST"))
	if e.Job != "" {
		text += ", " + e.Job
	}
	return text
}

// Hint is what to do about it.
func (e *HeldError) Hint() string {
	if e.Lost {
		return "nothing was written after that; run the command again"
	}
	return "wait until it has ended, or let norn wait with --lock-timeout; a holder that has died loses the lock after " + leaseDuration.String()
}
