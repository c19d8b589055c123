package connect

// UnavailableError reports why norn cannot use a Kubernetes cluster: the kubeconfig is missing or broken, or the
// server is unreachable, untrusted or rejects the credentials.
type UnavailableError struct {
	Reason string // one line: what is wrong
	Advice string // one line: what to do
	Err    error  // the error of client-go or the network; nil if norn found the problem itself
}

// Error returns the reason. It includes Err's text where that helps.
func (e *UnavailableError) Error() string { return e.Reason }

// Hint returns what to do about it.
func (e *UnavailableError) Hint() string { return e.Advice }

func (e *UnavailableError) Unwrap() error { return e.Err }
