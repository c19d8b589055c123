package offline

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"norn/test/bed"
)

// A command fails if norn cannot write standard output, but not if the reader closes the pipe early.
func TestFullOutput(t *testing.T) {
	bed.Norn(t)
	home := bed.HomeWithApps(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }()
	for _, args := range [][]string{
		{"status"}, {"status", "shop"}, {"status", "-o", "json"}, {"secrets", "list", "shop"},
		{"secrets", "list", "-o", "json"},
		{"snapshots", "list"}, {"validate", "beat"}, {"validate", "beat", "-o", "json"}, {"render", "shop"},
		{"render", "shop", "-o", "json"}, {"schema"}, {"version"}, {"version", "-o", "json"}, {"help"}, {"help", "deploy"},
		{"help", "flags"}, {"help", "environment"}, {"deploy", "--help"}, {"secrets"}, {"completion", "bash"},
		{"completion", "fish"}, {"__complete", "status", ""},
	} {
		cmd := exec.Command("norn", args...)
		cmd.Dir = filepath.Join(home, "projects", "shop")
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &errs
		_ = cmd.Run()
		const want = "Error: write output: no space left on device\n"
		if code := cmd.ProcessState.ExitCode(); code != 1 || !bytes.HasSuffix(errs.Bytes(), []byte(want)) {
			t.Errorf("norn %q: exit code %d, %q, want 1 and %q", args, code, errs.String(), want)
		}

		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		errs.Reset()
		cmd = exec.Command("norn", args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Join(home, "projects", "shop"), writer, &errs
		_ = cmd.Run()
		_ = writer.Close()
		if code := cmd.ProcessState.ExitCode(); code != 0 || bytes.Contains(errs.Bytes(), []byte("Error")) {
			t.Errorf("norn %q without a reader: exit code %d, %q", args, code, errs.String())
		}
	}
}
