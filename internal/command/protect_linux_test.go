package command

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// Another process finds no key in the environment of a protected process, which still knows its keys.
func TestProtect(t *testing.T) {
	if os.Getenv("PROTECTED") != "" {
		Protect()
		if os.Getenv("SOPS_AGE_KEY") != "canary-key" || os.Getenv("VAULT_TOKEN") != "canary-token" {
			t.Error("the process has lost its keys")
		}
		if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); dumpable != 0 || err != nil {
			t.Errorf("the system may dump the process: %d, %v", dumpable, err)
		}
		cmd := exec.Command("sh", "-c", "cat /proc/$PPID/environ || true")
		cmd.Env = Without(os.Environ(), "SOPS_AGE_KEY", "VAULT_TOKEN")
		seen, err := cmd.Output()
		if err != nil || bytes.Contains(seen, []byte("canary")) {
			t.Errorf("another process sees the keys, or failed: %v", err)
		}
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestProtect$")
	cmd.Env = append(os.Environ(), "PROTECTED=1", "SOPS_AGE_KEY=canary-key", "VAULT_TOKEN=canary-token")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
