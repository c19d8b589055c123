package control

import (
	"net/http"
	"strings"
	"testing"

	"norn/test/bed"
)

// withoutAccount answers like the API server in a namespace whose default ServiceAccount does not exist yet.
var withoutAccount = bed.Forbid(`pods "x" is forbidden: error looking up service account shop/default: ` +
	`serviceaccount "default" not found`)

// A forge right after the creation of the namespace waits for its default ServiceAccount.
func TestNewNamespace(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	w.WriteApp("shop", wholeApp)
	tries := bed.Fault{Method: http.MethodPost, Path: "/pods[?].*dryRun", Count: 3, Do: withoutAccount}
	if out, code := bounded(w, disturbed(w, tries), "forge", "shop"); code != 0 || strings.Contains(out, "refuses") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
