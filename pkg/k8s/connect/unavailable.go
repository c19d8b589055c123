package connect

// UnavailableError reports that no Kubernetes can be used, and why: nothing configured, a kubeconfig that leads nowhere, a
// server that cannot be reached, trusted or logged in to.
type UnavailableError struct {
	Reason string // one line: what was found
	Advice string // one line: what to do
	Err    error  // what client-go or the network said; nil where norn found out by itself
}

// Error is the reason alone; Err's text is in it where it helps.
func (e *UnavailableError) Error() string { return e.Reason }

// Hint is what to do about it.
func (e *UnavailableError) Hint() string { return e.Advice }

func (e *UnavailableError) Unwrap() error { return e.Err }
