package control

import (
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"norn/test/bed"
)

// If the terminal is closed while norn restores a version, the restore goes on, and the lock is released.
func TestTerminalIsClosed(t *testing.T) {
	t.Parallel()
	w := running(t)
	api := disturbed(w, bed.Fault{Do: bed.Slow(300 * time.Millisecond)})
	cmd := w.Command(api, "deploy", "shop", "--image", image("broken"))
	cmd.Env = append(cmd.Env, "TERM=screen", "TMPDIR="+t.TempDir())
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	await(t, terminal, "restoring revision 1")
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 4 {
		t.Errorf("exit code %d", code)
	}
	if got := w.Kubectl("get", "deployment", "shop", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got !=
		image("first") {
		t.Errorf("the Deployment has image %s", got)
	}
	if leases := strings.TrimSpace(w.Kubectl("get", "leases", "-o", "name")); leases != "" {
		t.Errorf("the lock was not released: %s", leases)
	}
}
