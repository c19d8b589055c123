package cli

import "fmt"

// RunNow returns the command that starts a run of a cron app outside its schedule.
func RunNow(app string) string {
	return fmt.Sprintf("norn run %s --now", app)
}
