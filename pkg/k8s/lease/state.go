package lease

import (
	"context"
	"time"

	"norn/pkg/k8s"
)

// State describes an app's lock and whether its holder is alive.
type State struct {
	Holder  *HeldError
	Renewed time.Time     // by the holder's clock
	Valid   time.Duration // how long a renewal is valid
	Dead    bool          // its process ran on this machine and has ended
}

// Read returns the state of an app's lock, or nil if nobody holds it. dead is Holder.Dead.
func Read(ctx context.Context, client *k8s.Client, ns, app string, dead func(process string) bool) (*State, error) {
	l := &lock{client: client, ns: ns, app: app, holder: Holder{Dead: dead}}
	live, err := client.GetLease(ctx, ns, l.name())
	if k8s.IsNotFound(err) {
		return nil, nil //nolint:nilnil // no holder is a valid state
	}
	if err != nil {
		return nil, k8s.Explain(err, "read the lock of %s", app)
	}
	state := &State{Holder: l.held(live, false), Valid: leaseDuration, Dead: l.dead(live)}
	if renewed := live.Spec.RenewTime; renewed != nil {
		state.Renewed = renewed.Time
	}
	return state, nil
}
