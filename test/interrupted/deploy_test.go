package interrupted

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"norn/test/bed"
)

// After a kill or an interrupt at any point of a deploy, running the same command again completes the deploy.
func TestDeployCutShort(t *testing.T) {
	t.Parallel()
	database := bed.Shared(t).StartPostgres(t, "shop")
	for first := range int32(killers) {
		t.Run(fmt.Sprintf("killed after every write %d of %d", first+1, killers), func(t *testing.T) {
			t.Parallel()
			killedAtWrites(t, database, kills{first + 1, killers, true, bed.Changes})
		})
	}
	t.Run("interrupt in each step that changes the cluster", func(t *testing.T) {
		t.Parallel()
		signalledInSteps(t, database, syscall.SIGINT, false)
	})
	if !bed.All() { // a deploy that is killed after a write seldom differs from one that is killed before the next
		return
	}
	t.Run("killed before writes", func(t *testing.T) {
		t.Parallel()
		killedAtWrites(t, database, kills{1, 1, false, bed.Changes})
	})
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		for _, built := range []bool{true, false} {
			if signal == syscall.SIGINT && !built {
				continue // above
			}
			t.Run(fmt.Sprintf("%s in each step built %v", signal, built), func(t *testing.T) {
				t.Parallel()
				signalledInSteps(t, database, signal, built)
			})
		}
	}
}

// killers is the number of parallel tests that share the writes of a deploy.
const killers = 2

// kills are the moments of a deploy at which a test kills it.
type kills struct {
	first, step int32 // of the writes
	after       bool  // after a write, or before it
	of          func(*http.Request) bool
}

// killedAtWrites kills a deploy at its writes. Running the same command again then leads to the state of an undisturbed
// run.
func killedAtWrites(t *testing.T, database *bed.Postgres, k kills) {
	s := newShipping(t, shippedApp, database)
	want := s.undisturbed(false)
	killed := 0
	for n := k.first; ; n += k.step {
		args := s.nextVersion(false)
		hit := s.KillAtWrite(k.of, n, k.after, args...)
		when := fmt.Sprintf("killed at write %d (after: %v), then run again", n, k.after)
		s.Norn(args...)
		if got := s.state(t, when); got != want {
			t.Fatalf("%s:\n%s\nundisturbed:\n%s", when, got, want)
		}
		if !hit {
			break
		}
		killed++
	}
	t.Logf("%d kills", killed)
	if killed < 3 { // half of the writes are at least 6
		t.Errorf("only %d kills: a deploy makes more writes", killed)
	}
}

// The steps of a deploy that make an image, and its other steps.
var (
	imageSteps = []string{"source", "build", "push", "test"}
	otherSteps = []string{"snapshot", "migrate", "secrets", "rollout", "cleanup"}
)

// signalledInSteps kills or interrupts a deploy at the beginning of each step. Running the same command again then
// completes the deploy. After an interrupt, norn also releases the lock and removes its temporary files.
func signalledInSteps(t *testing.T, database *bed.Postgres, signal syscall.Signal, built bool) {
	s := newShipping(t, shippedApp+"build: {test: 'true'}\n", database)
	want := s.undisturbed(built)
	steps := otherSteps
	if built {
		steps = imageSteps
	}
	for _, step := range steps {
		when := fmt.Sprintf("%s in step %s", signal, step)
		args := s.nextVersion(built)
		code := s.signalIn(t, step, signal, args)
		if signal == syscall.SIGINT {
			if code != 130 && code != 0 { // a short step may finish first
				t.Errorf("%s: exit code %d", when, code)
			}
			if leases := s.Kubectl("get", "leases,jobs", "-o", "name"); leases != "" {
				t.Errorf("%s: leftovers: %s", when, leases)
			}
			s.checkLeftovers(t, when)
		}
		s.Norn(args...)
		if got := s.state(t, when); got != want {
			t.Fatalf("%s, then run again:\n%s\nundisturbed:\n%s", when, got, want)
		}
	}
}

// signalIn sends a signal when a step begins. It returns norn's exit code, or -1 if the signal ended norn.
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
	_ = cmd.Wait() // the caller checks the exit code
	if !slices.Contains(steps, step) {
		t.Errorf("step %s did not begin; the steps were %v", step, steps)
	}
	return cmd.ProcessState.ExitCode()
}
