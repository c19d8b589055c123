package lease

import (
	"context"
	"errors"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
)

const (
	renewEvery = 5 * time.Second
	// renewTimeout bounds one renewal. An overloaded API server may take seconds for a call, and a renewal that got no
	// answer must leave time for another one.
	renewTimeout = 12 * time.Second
	// giveUpAfter is the age of the last renewal at which a run stops writing. The rest of leaseDuration is for writes
	// that are on their way: another run takes over after it.
	giveUpAfter = leaseDuration - 10*time.Second
)

// renewals keep a Lease alive until the context life ends. They end life through lose if the lock is lost.
type renewals struct {
	life context.Context //nolint:containedctx // of the lock
	lock *lock
	lose context.CancelCauseFunc
	turn chan struct{} // holds a value while one goroutine renews
}

func newRenewals(life context.Context, l *lock, lose context.CancelCauseFunc) *renewals {
	return &renewals{life: life, lock: l, lose: lose, turn: make(chan struct{}, 1)}
}

// run renews the Lease until the lock is lost or released. A run that cannot renew keeps trying until giveUpAfter.
func (r *renewals) run() {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.life.Done():
			return
		case <-tick.C:
		}
		if r.take(r.life) != nil {
			return
		}
		err := r.renew(renewTimeout)
		r.give()
		age := time.Since(*r.lock.last.Load()) // a machine that slept gets as much time as any other to reach the server
		if _, taken := errors.AsType[*HeldError](err); taken || err != nil && age >= giveUpAfter {
			_ = r.lost(err) // the run's context has it
			return
		}
	}
}

// mayWrite returns an error if the lock may be lost. If the last renewal is too old, mayWrite renews first: the process
// was stopped, or the machine slept, and another run may hold the lock by now.
func (r *renewals) mayWrite(ctx context.Context) error {
	if r.life.Err() != nil {
		return context.Cause(r.life) //nolint:contextcheck // the lock is lost, whatever the call is
	}
	if r.lock.age(time.Now()) < giveUpAfter {
		return nil
	}
	if err := r.take(ctx); err != nil {
		return err
	}
	defer r.give()
	if r.lock.age(time.Now()) < giveUpAfter { // another goroutine has renewed it meanwhile
		return nil
	}
	if err := r.renew(giveUpAfter); err != nil { //nolint:contextcheck // the end of one call must not end a renewal
		return r.lost(err)
	}
	return nil
}

// age returns the time since the last renewal. It uses the wall clock too, because the monotonic clock of most systems
// stands still while the machine sleeps.
func (l *lock) age(now time.Time) time.Duration {
	last := *l.last.Load()
	return max(now.Sub(last), now.Round(0).Sub(last.Round(0)))
}

func (r *renewals) take(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case r.turn <- struct{}{}:
		return nil
	}
}

func (r *renewals) give() { <-r.turn }

// lost ends the run, and returns why.
func (r *renewals) lost(err error) error {
	if _, taken := errors.AsType[*HeldError](err); !taken {
		err = &UnrenewedError{r.lock.app, r.lock.age(time.Now()).Round(time.Second), err}
	}
	r.lose(err)
	return err
}

// renew renews the Lease once. If another run holds it, the error is a *HeldError.
func (r *renewals) renew(timeout time.Duration) error {
	if left := giveUpAfter - time.Since(*r.lock.last.Load()); left > 0 {
		timeout = min(timeout, left)
	}
	ctx, cancel := context.WithTimeout(r.life, timeout)
	defer cancel()
	return r.lock.renew(ctx)
}

// renew renews the Lease. It begins again if somebody else, such as a labeler, has changed the Lease in between.
func (l *lock) renew(ctx context.Context) error {
	for {
		begin, err := l.update(ctx)
		if !k8s.IsConflict(err) {
			if k8s.IsNotFound(err) {
				return &HeldError{App: l.app, Lost: true}
			}
			return k8s.Explain(err, "renew the lock of %s", l.app)
		}
		live, err := l.client.GetLease(ctx, l.ns, l.name())
		switch {
		case k8s.IsNotFound(err):
			return &HeldError{App: l.app, Lost: true}
		case err != nil:
			return k8s.Explain(err, "read the lock of %s", l.app)
		case !l.mine(live):
			return l.held(live, true)
		case renewedAt(live, begin): // by a request whose answer was lost, and which was repeated
			l.wrote(live, begin)
			return nil
		case renewedAt(live, l.sent):
			l.wrote(live, l.sent)
			return nil
		}
		l.live = live
	}
}

// update writes the Lease with a new time, unless somebody else has changed it. Without reading it first, a renewal is
// one call.
func (l *lock) update(ctx context.Context) (begin time.Time, err error) {
	renewed, begin := l.live.DeepCopy(), time.Now()
	at := renewTime(begin)
	renewed.Spec.RenewTime = &at
	made, err := l.client.UpdateLease(ctx, renewed)
	switch {
	case err == nil:
		l.wrote(made, begin)
	case !k8s.IsConflict(err): // it may have been written
		l.sent = begin
	}
	return begin, err
}

func renewedAt(live *coordinationv1.Lease, at time.Time) bool {
	return live.Spec.RenewTime != nil && live.Spec.RenewTime.Time.Equal(renewTime(at).Time)
}

// renewTime returns a time as the API server stores it.
func renewTime(t time.Time) metav1.MicroTime {
	return metav1.NewMicroTime(t.Truncate(time.Microsecond))
}
