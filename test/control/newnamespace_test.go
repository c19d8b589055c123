package control

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"norn/test/bed"
)

// withoutAccount answers like the API server in a namespace whose default ServiceAccount does not exist yet.
func withoutAccount(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_, _ = fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,`+
		`"message":"pods \"x\" is forbidden: error looking up service account shop/default: `+
		`serviceaccount \"default\" not found"}`)
}

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
