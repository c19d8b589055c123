//go:build unix

package editor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// vim writes the text nowhere else, however EDITOR starts it.
func TestVimKeepsNoCopy(t *testing.T) {
	vim, err := exec.LookPath("vim")
	if err != nil {
		t.Skip("vim is not installed")
	}
	for name, line := range map[string]string{
		"without a shell":  "vim --not-a-term +normal!ggyy +wq",
		"with quotes":      "vim --not-a-term '+normal! ggyy' +wq",
		"with a tilde":     "~/bin/vim --not-a-term +normal!ggyy +wq",
		"in quotes":        "'vim' --not-a-term '+normal! ggyy' +wq",
		"with a variable":  "$HOME/bin/vim --not-a-term +normal!ggyy +wq",
		"with assignments": "env LANG=C LC_ALL=C vim --not-a-term +normal!ggyy +wq",
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("XDG_RUNTIME_DIR", "")
			t.Setenv("TMPDIR", home)
			t.Setenv("SOPS_EDITOR", line)
			err := os.WriteFile(filepath.Join(home, ".vimrc"), []byte("set nocp viminfo='10,<50 undofile backup\n"+
				"set undodir=~ backupdir=~ directory=~\n"), 0o600)
			if err == nil {
				err = os.Mkdir(filepath.Join(home, "bin"), 0o700)
			}
			if err == nil {
				err = os.Symlink(vim, filepath.Join(home, "bin", "vim"))
			}
			if err != nil {
				t.Fatal(err)
			}
			accept := func(context.Context, []byte) (bool, error) { return false, nil }
			s := Session{Name: "secrets.yaml", Text: []byte("TOKEN: canary\n"), OnDisk: func(string) {}, Accept: accept}
			if err := s.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			left, err := os.ReadDir(home)
			if err != nil || len(left) != 2 {
				t.Errorf("vim left files: %v %v", left, err)
			}
		})
	}
}

// Sweep wipes the folder of a killed run, and keeps that of a live one and what a link points to.
func TestSweep(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "")
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	folder := func(parent, name string) string {
		dir := filepath.Join(parent, name)
		for file, text := range map[string]string{"lock": "", "secrets.yaml": "TOKEN: canary\n"} {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	killed, linked := folder(temporary, prefix+"killed"), folder(t.TempDir(), "linked")
	if err := os.Symlink(linked, filepath.Join(temporary, prefix+"link")); err != nil {
		t.Fatal(err)
	}
	live, lock, err := Session{OnDisk: func(string) {}}.privateDir()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wipe(live); _ = lock.Close() }()
	Sweep()
	if _, err := os.Stat(killed); err == nil {
		t.Error("the folder of a killed run is still there")
	}
	if _, err := os.Stat(live); err != nil {
		t.Error("the folder of a live run is gone")
	}
	text, err := os.ReadFile(filepath.Join(linked, "secrets.yaml"))
	if err != nil || !strings.Contains(string(text), "canary") {
		t.Errorf("what a link points to was wiped: %v", err)
	}
}
