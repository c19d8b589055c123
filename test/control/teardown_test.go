package control

import (
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"

	"norn/test/bed"
)

// The question lists what goes. With --delete-data, it names the claims and their sizes.
func TestTeardownQuestion(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.WriteApp("shop", "app: shop\nrole: worker\nvolumes: [{name: data, mountPath: /data, size: 64Mi}]\n")
	w.Norn("forge", "shop")
	cmd := w.Command(w.Kubeconfig, "teardown", "shop", "--delete-data")
	cmd.Env = append(cmd.Env, "TERM=screen", "NO_COLOR=1")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tty.Close() }()
	if _, err := io.WriteString(tty, "n\n"); err != nil {
		t.Fatal(err)
	}
	const question = "(delete Deployment shop; and delete its data: shop-data (64Mi))? [y/N]"
	out, _ := io.ReadAll(tty) // a terminal without programs ends with an error
	if cmd.Wait() == nil || !strings.Contains(string(out), question) {
		t.Errorf("the terminal shows %q", out)
	}
	w.Kubectl("get", "pvc", "shop-data")
}
