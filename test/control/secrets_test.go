package control

import (
	"net/http"
	"strings"
	"testing"

	"norn/test/bed"
)

// Without knowing which values to hide, norn shows no Pod's output.
func TestUnreadableSecret(t *testing.T) {
	t.Parallel()
	w := running(t)
	w.Kubectl("create", "secret", "generic", "shop-secrets", "--from-literal=TOKEN=some-value")
	api := disturbed(w, bed.Fault{
		Path: "/secrets/shop-secrets$", Do: bed.Fail(http.StatusInternalServerError, "InternalError", ""),
	})
	for _, command := range []string{"logs", "restart"} {
		const code, text = 3, "cannot hide the values of Secret shop-secrets"
		if out, got := bounded(w, api, command, "shop"); got != code || !strings.Contains(out, text) {
			t.Errorf("norn %s: exit code %d, want %d, and %q in:\n%s", command, got, code, text, out)
		}
	}
}
