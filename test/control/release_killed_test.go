package control

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"norn/test/bed"
)

var versionName = regexp.MustCompile(`v[0-9]{3}\b`)

// killedRelease is a command on an app of three processes that is killed at its writes.
type killedRelease struct {
	name string
	// next prepares the app for the command and returns its arguments. version differs in each run.
	next  func(w *bed.Workspace, version string) []string
	after func(w *bed.Workspace) string // what State leaves out
}

var killedReleases = []killedRelease{
	{"deploy", func(_ *bed.Workspace, version string) []string {
		return []string{"deploy", "shop", "--image", image(version)}
	}, newestIsVerified},
	{"rollback", func(w *bed.Workspace, version string) []string {
		before, _, _ := strings.Cut(releases(w), " current")
		current, _, _ := strings.Cut(before, " ")
		deploys(0, version)(w)
		return []string{"rollback", "shop", "--to", current}
	}, newestIsVerified},
	{"forge", func(w *bed.Workspace, version string) []string {
		w.WriteApp("shop", shipsThree+"env: {VERSION: "+version+"}\n")
		return []string{"forge", "shop"}
	}, newestIsVerified},
	{"teardown", func(w *bed.Workspace, version string) []string {
		deploys(0, version)(w)
		return []string{"teardown", "shop", "--yes"}
	}, func(w *bed.Workspace) string {
		return w.Kubectl("get", "deployments,cronjobs,jobs,poddisruptionbudgets", "-o", "name")
	}},
}

// newestIsVerified returns whether the newest release of the history is verified and current in all processes.
func newestIsVerified(w *bed.Workspace) string {
	w.T.Helper()
	newest, _, _ := strings.Cut(releases(w), "\n")
	_, newest, _ = strings.Cut(newest, "map[")
	return fmt.Sprint(strings.Contains(newest, "worker:") && strings.Contains(newest, "verified current"))
}

// If a command on an app of several processes is killed at any of its writes, running it again leads to the state of an
// undisturbed run: one release everywhere, or nothing.
func TestReleaseKilledAtEveryWrite(t *testing.T) {
	t.Parallel()
	step := int32(4) // of the writes, how many to go on
	moments := []bool{true}
	if bed.All() {
		step, moments = 1, []bool{true, false}
	}
	for _, c := range killedReleases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := shop(t)
			versions := 0
			next := func() []string {
				versions++
				return c.next(w, fmt.Sprintf("v%03d", versions))
			}
			state := func() string { return versionName.ReplaceAllString(w.State(), "VERSION") + c.after(w) }
			w.Norn(next()...)
			want := state()
			if c.name != "teardown" && newestIsVerified(w) != "true" {
				t.Errorf("the newest release is not verified:\n%s", releases(w))
			}
			writes := int32(0)
			for _, after := range moments {
				for n := int32(1); ; n += step {
					args := next()
					hit := w.KillAt(n, after, args...)
					w.Norn(args...)
					if got := state(); got != want {
						t.Fatalf("killed at write %d (after: %v), then run again:\n%s\nundisturbed:\n%s", n, after, got, want)
					}
					if !hit {
						break
					}
					writes = n
				}
			}
			if writes < 5 {
				t.Errorf("only %d writes: the command makes more", writes)
			}
		})
	}
}
