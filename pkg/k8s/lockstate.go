package k8s

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// LockState is who holds an app's lock, and whether they seem to live.
type LockState struct {
	Holder  *HeldError
	Renewed time.Time     // by the holder's clock
	Valid   time.Duration // how long a renewal is believed
	Dead    bool          // its process was on this machine, and has ended
}

// Lock reads who holds an app's lock; nobody is nil. dead reports whether a process of this machine has ended.
func (c *Client) Lock(ctx context.Context, ns, app string, dead func(process string) bool) (*LockState, error) {
	l := &lock{client: c, ns: ns, app: app, holder: Holder{Dead: dead}}
	live, err := c.coordination.Leases(ns).Get(ctx, l.name(), metav1.GetOptions{})
	if IsNotFound(err) {
		return nil, nil //nolint:nilnil // nobody is no error
	}
	if err != nil {
		return nil, explain(err, "read the lock of %s", app)
	}
	state := &LockState{Holder: l.held(live, false), Valid: leaseDuration, Dead: l.gone(live)}
	if renewed := live.Spec.RenewTime; renewed != nil {
		state.Renewed = renewed.Time
	}
	return state, nil
}
