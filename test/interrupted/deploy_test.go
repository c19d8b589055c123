package interrupted

import (
	"bufio"
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"norn/test/bed"
)

// A deploy that is cut short anywhere leaves nothing half done that the same command would not complete.
func TestDeployCutShort(t *testing.T) {
	t.Parallel()
	database := bed.Shared(t).StartPostgres(t, "shop")
	for _, after := range []bool{false, true} {
		for first := range int32(killers) {
			t.Run(fmt.Sprintf("killed at every write %d of %d after %v", first+1, killers, after), func(t *testing.T) {
				t.Parallel()
				killedAtWrites(t, database, first+1, after)
			})
		}
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		for _, built := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s in each step built %v", signal, built), func(t *testing.T) {
				t.Parallel()
				signalledInSteps(t, database, signal, built)
			})
		}
	}
}

// killers are the tests that share the writes of a deploy, so that they run at the same time.
const killers = 2

// Killed before or after any of a deploy's writes, the same command run again comes to what an undisturbed run comes
// to.
func killedAtWrites(t *testing.T, database *bed.Postgres, first int32, after bool) {
	s := newShipping(t, shippedApp, database)
	want := s.undisturbed(false)
	kills := 0
	for n := first; ; n += killers {
		args := s.another(false)
		hit := s.KillAt(n, after, args...)
		when := fmt.Sprintf("killed at write %d (after: %v), then run again", n, after)
		s.Norn(args...)
		if got := s.whole(t, when); got != want {
			t.Fatalf("%s:\n%s\nundisturbed:\n%s", when, got, want)
		}
		if !hit {
			break
		}
		kills++
	}
	t.Logf("%d kills", kills)
	if kills < 3 { // of 12 at least
		t.Errorf("only %d kills: there is more to write than that", kills)
	}
}

// The steps of a deploy: those that make the image, and those that a deploy of a given image has too.
var (
	imageSteps = []string{"source", "build", "push", "test"}
	otherSteps = []string{"snapshot", "migrate", "secrets", "rollout", "cleanup"}
)

// Killed or interrupted at the beginning of each step, the same command completes. An interrupt releases the lock and
// removes the temporary files by itself.
func signalledInSteps(t *testing.T, database *bed.Postgres, signal syscall.Signal, built bool) {
	s := newShipping(t, shippedApp+"build: {test: 'true'}\n", database)
	want := s.undisturbed(built)
	steps := otherSteps
	if built {
		steps = imageSteps
	}
	for _, step := range steps {
		when := fmt.Sprintf("%s in step %s", signal, step)
		args := s.another(built)
		code := s.signalIn(t, step, signal, args)
		if signal == syscall.SIGINT {
			if code != 130 && code != 0 { // a short step may be done before
				t.Errorf("%s: exit code %d", when, code)
			}
			if leases := s.Kubectl("get", "leases,jobs", "-o", "name"); leases != "" {
				t.Errorf("%s: left: %s", when, leases)
			}
			s.nothingLeft(t, when)
		}
		s.Norn(args...)
		if got := s.whole(t, when); got != want {
			t.Fatalf("%s, then run again:\n%s\nundisturbed:\n%s", when, got, want)
		}
	}
}

// signalIn sends a signal when a step begins, and returns the exit code, -1 for a death by signal.
func (s *shipping) signalIn(t *testing.T, step string, signal syscall.Signal, args []string) int {
	t.Helper()
	cmd := s.Command(s.Kubeconfig, append(args, "-o", "json")...)
	events, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var steps []string
	for lines := bufio.NewScanner(events); lines.Scan(); {
		var e struct{ Event, Step string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Errorf("%s: %v", lines.Text(), err)
		}
		if e.Event != "started" {
			continue
		}
		steps = append(steps, e.Step)
		if e.Step == step {
			if err := cmd.Process.Signal(signal); err != nil {
				t.Error(err)
			}
		}
	}
	_ = cmd.Wait() // its exit code says it
	if !slices.Contains(steps, step) {
		t.Errorf("step %s was not begun; there were %v", step, steps)
	}
	return cmd.ProcessState.ExitCode()
}
