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

// After a kill or an interrupt at any point of a deploy, running the same command again completes the deploy.
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

// killers is the number of parallel tests that share the writes of a deploy.
const killers = 2

// killedAtWrites kills a deploy before or after its writes. Running the same command again then leads to the state of
// an undisturbed run.
func killedAtWrites(t *testing.T, database *bed.Postgres, first int32, after bool) {
	s := newShipping(t, shippedApp, database)
	want := s.undisturbed(false)
	kills := 0
	for n := first; ; n += killers {
		args := s.nextVersion(false)
		hit := s.KillAt(n, after, args...)
		when := fmt.Sprintf("killed at write %d (after: %v), then run again", n, after)
		s.Norn(args...)
		if got := s.state(t, when); got != want {
			t.Fatalf("%s:\n%s\nundisturbed:\n%s", when, got, want)
		}
		if !hit {
			break
		}
		kills++
	}
	t.Logf("%d kills", kills)
	if kills < 3 { // half of the writes, at least 6
		t.Errorf("only %d kills: a deploy makes more writes", kills)
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
