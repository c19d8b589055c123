// Command pictures draws norn's output on a terminal, from real runs on a cluster, as SVG files: pictures NORN APP
// OUT. NORN is the built binary, APP is the folder of the sample app's checkout, and OUT is the folder for the
// pictures. hack/pictures prepares the rest.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: pictures NORN APP OUT")
	}
	s := &studio{norn: os.Args[1], app: os.Args[2], out: os.Args[3]}
	if err := s.all(); err != nil {
		log.Fatal("Error: ", err)
	}
}

// studio holds the paths for taking pictures.
type studio struct{ norn, app, out string }

// all takes all pictures, in the order of the sample app's life.
func (s *studio) all() error {
	for _, take := range []func() error{s.forge, s.deploy, s.status, s.failure, s.logs} {
		if err := take(); err != nil {
			return err
		}
	}
	return s.runWithoutPicture("norn", "teardown", "--yes")
}

func (s *studio) forge() error {
	return s.take("forge", "norn forge", atEnd)
}

// deploy ships a first version without a picture. Then it ships a second version, and takes pictures during the
// rollout and at the end.
func (s *studio) deploy() error {
	if err := s.runWithoutPicture("norn", "deploy"); err != nil {
		return err
	}
	if err := s.commit("second version", "infraspec.yaml", "http://payments", "http://payments/v2"); err != nil {
		return err
	}
	t, err := s.start("norn deploy")
	if err != nil {
		return err
	}
	shot, err := t.until(func(text string) bool { // one new pod is ready, another not yet, and two old ones still exist
		return strings.Contains(text, "2 of 3 new Pods created") && strings.Contains(text, "Running, not ready") &&
			!strings.Contains(text, "Terminating")
	})
	if err != nil {
		return err
	}
	if err := s.keep("deploy-running", shot); err != nil {
		return err
	}
	if shot, err = t.until(atEnd); err != nil {
		return err
	}
	return s.keep("deploy", shot)
}

func (s *studio) status() error {
	if err := s.waitForPods(); err != nil {
		return err
	}
	return s.take("status", "norn status shop", atEnd)
}

// waitForPods waits until only the three expected pods exist.
func (s *studio) waitForPods() error {
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		out, err := exec.Command("kubectl", "get", "pods", "-l", "app=shop", "-o", "name").Output()
		if err != nil {
			return fmt.Errorf("kubectl get pods: %w", err)
		}
		if len(strings.Fields(string(out))) == 3 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("there never were three pods:\n%s", out)
		}
	}
}

// logs follows the Pods until each has sold something. It replaces Pods whose names have the same color.
func (s *studio) logs() error {
	for range 20 {
		if err := s.waitForPods(); err != nil {
			return err
		}
		t, err := s.start("norn logs -f --tail 1")
		if err != nil {
			return err
		}
		shot, err := t.until(func(text string) bool { return strings.Count(text, "order") >= 16 })
		if err != nil {
			return err
		}
		t.end()
		if shot.firstColors() == 3 {
			return s.keep("logs", shot)
		}
		if err := s.runWithoutPicture("norn", "restart"); err != nil {
			return err
		}
	}
	return fmt.Errorf("no three pods had three colours")
}

// failure takes the picture of a version that lacks a setting.
func (s *studio) failure() error {
	if err := s.commit("third version", "infraspec.yaml", "PAYMENTS_URL", "PAYMENT_URL"); err != nil {
		return err
	}
	return s.take("failure", "norn deploy", atEnd)
}

// take runs a command until wanted accepts the terminal's text, and keeps that picture.
func (s *studio) take(name, command string, wanted func(text string) bool) error {
	t, err := s.start(command)
	if err != nil {
		return err
	}
	shot, err := t.until(wanted)
	if err != nil {
		return err
	}
	t.end()
	return s.keep(name, shot)
}

// runWithoutPicture runs a command without a picture.
func (s *studio) runWithoutPicture(name string, args ...string) error {
	if name == "norn" {
		name = s.norn
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = s.app
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// commit replaces a text in a file of the app and commits it. Commits with the same content always have the same ID.
func (s *studio) commit(message, file, from, to string) error {
	path := filepath.Join(s.app, file)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := []byte(strings.Replace(string(text), from, to, 1))
	if err := os.WriteFile(path, changed, 0o644); err != nil { //nolint:gosec // the caller owns the folder
		return err
	}
	return s.runWithoutPicture("git", "commit", "-qam", message)
}

// patience is the time limit for one picture.
const patience = 3 * time.Minute
