package connect

import (
	"context"
	"regexp"
	"sync"

	"norn/pkg/k8s"
)

// warnings passes on the API server's warnings (kubernetes.io: Warning mechanism, use and extension), such as what Pod
// Security will refuse.
type warnings struct {
	warn func(text string)

	mu   sync.Mutex
	said map[string]bool
}

// warningCode is the code of all warnings of an API server (RFC 7234, 5.5: miscellaneous persistent warning).
const warningCode = 299

// templatePath matches where a warning about a workload's Pod template begins. A dry run of a Pod has the same warning
// without it.
var templatePath = regexp.MustCompile(`^spec\.(?:jobTemplate\.spec\.)?template\.`)

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	if code != warningCode || text == "" || k8s.HoldWarning(ctx, func() { w.pass(text) }) {
		return
	}
	w.pass(text)
}

// pass passes on a warning the first time.
func (w *warnings) pass(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	about := templatePath.ReplaceAllString(text, "")
	if w.said[about] {
		return
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[about] = true
	w.warn(text)
}
