package lease

import (
	"fmt"
	"time"
)

// HeldError reports that another run holds the app's lock.
type HeldError struct {
	App, User, Host, Command, Job string
	Since                         time.Time
	Lost                          bool // another run took over the lock that this run held
}

// Error names the holder, its command and when it took the lock.
func (e *HeldError) Error() string {
	what := "is locked by"
	if e.Lost {
		what = "was taken over by"
	}
	return fmt.Sprintf("%s %s %s", e.App, what, e.holder())
}

func (e *HeldError) holder() string {
	if e.User == "" {
		return "an unknown holder"
	}
	text := fmt.Sprintf("%s@%s (%s, since %s)", e.User, e.Host, e.Command, e.Since.UTC().Format("15:04:05 MST"))
	if e.Job != "" {
		text += ", " + e.Job
	}
	return text
}

// Hint returns what to do about it.
func (e *HeldError) Hint() string {
	if e.Lost {
		return "run the command again; this run wrote nothing after it lost the lock"
	}
	return "wait for the holder, or let norn wait with --lock-timeout; the lock of a dead holder expires after " +
		leaseDuration.String()
}
