package control

import (
	"io"
	"strings"
	"testing"

	"github.com/creack/pty"

	"norn/test/bed"
)

// With --delete-data, the question lists what goes, and names the claims with their sizes. Only the app's name agrees.
func TestTeardownQuestion(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.PretendToRun()
	w.WriteApp("shop", "app: shop\nrole: worker\nhealthcheck: {tcp: true, port: 9000}\n"+
		"volumes: [{name: data, mountPath: /data, size: 64Mi}]\n")
	deploys(0, "first")(w)
	ask := func(answer string) (string, error) {
		cmd := w.Command(w.Kubeconfig, "teardown", "shop", "--delete-data")
		cmd.Env = append(cmd.Env, "TERM=screen", "NO_COLOR=1")
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 200})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tty.Close() }()
		if _, err := io.WriteString(tty, answer+"\n"); err != nil {
			t.Fatal(err)
		}
		out, _ := io.ReadAll(tty) // a terminal without programs ends with an error
		return string(out), cmd.Wait()
	}
	const question = ": delete Deployment shop; and delete its data: shop-data (64Mi); enter shop to continue: "
	for _, answer := range []string{"n", "y", "yes", "", "shop2"} {
		if out, err := ask(answer); err == nil || !strings.Contains(out, question) {
			t.Errorf("after the answer %q, the terminal shows %q", answer, out)
		}
	}
	w.Kubectl("get", "deployment", "shop")
	w.Kubectl("get", "pvc", "shop-data")
	out, err := ask("shop")
	back := "to bring it back as it was: norn deploy shop --image " + image("first") + " --namespace " + w.Namespace
	if err != nil || !strings.Contains(out, back) {
		t.Errorf("%v: the terminal shows %q, not %q", err, out, back)
	}
	if left := w.Kubectl("get", "deployments,pvc", "-o", "name"); left != "" {
		t.Errorf("left: %s", left)
	}
}
