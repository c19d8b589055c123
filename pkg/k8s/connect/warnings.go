package connect

import (
	"context"
	"sync"
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

// HandleWarningHeaderWithContext implements rest.WarningHandlerWithContext.
func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code != warningCode || text == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said[text] {
		return
	}
	if w.said == nil {
		w.said = map[string]bool{}
	}
	w.said[text] = true
	w.warn(text)
}
