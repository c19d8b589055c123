// Package lease locks an app, so only one run at a time changes it. The lock is a Lease in the app's namespace that
// expires if its holder dies.
package lease

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// The lock of an app is a Lease, which expires if its holder dies (kubernetes.io: Leases). Its annotations describe the
// holder to other users.
const (
	// leaseDuration is how long a lock is valid after its last renewal. It is longer than package connect retries a
	// request.
	leaseDuration = 40 * time.Second

	commandAnnotation = "norn/command"
	hostAnnotation    = "norn/host"
	buildAnnotation   = "norn/ci-job"
)

// Request describes the lock that a run asks for.
type Request struct {
	Namespace, App string
	Holder         Holder
	Wait           time.Duration // how long to wait for another holder
	Say            func(string)  // called with a line when norn waits or takes over a dead holder's lock
}

// For returns the request for the lock of an app.
func (r Request) For(ns, app string, say func(string)) Request {
	r.Namespace, r.App, r.Say = ns, app, say
	return r
}

// WithLock calls do while holding an app's lock. The context of do ends when the lock is lost, and it refuses writes
// as soon as the lock may be lost. If another run holds the lock, the error is a *HeldError.
func WithLock(ctx context.Context, client *k8s.Client, r Request, do func(context.Context) error) error {
	l := &lock{client: client, ns: r.Namespace, app: r.App, holder: r.Holder, say: r.Say}
	if err := l.acquire(ctx, r.Wait); err != nil {
		return err
	}
	life, lose := context.WithCancelCause(context.WithoutCancel(ctx)) // ends with the lock, not with a signal
	renewals := newRenewals(life, l, lose)
	cleanup := k8s.WithGuard(life, renewals.mayWrite)
	held, stop := context.WithCancelCause(k8s.WithGuard(context.WithValue(ctx, lifeKey{}, cleanup), renewals.mayWrite))
	context.AfterFunc(life, func() { stop(context.Cause(life)) })
	ended := make(chan struct{})
	go func() { //nolint:contextcheck // renewals outlive a signal that ends ctx
		defer close(ended)
		renewals.run()
	}()
	err := do(held)
	if err != nil {
		_ = renewals.mayWrite(life) // after a pause, the lost lock explains more than the call that has failed
	}
	cause := context.Cause(life)
	lose(nil)
	stop(nil)
	<-ended
	switch {
	case cause != nil && errors.Is(err, cause): // the calls that it has ended only add their addresses
		return cause
	case cause != nil:
		return errors.Join(cause, err)
	}
	if releaseErr := l.release(ctx); releaseErr != nil { // the Lease expires without it
		l.say(fmt.Sprintf("%v; it expires after %s", releaseErr, leaseDuration))
	}
	return err
}

type lock struct {
	client  *k8s.Client
	ns, app string
	holder  Holder
	say     func(string)

	live *coordinationv1.Lease     // after this process's last write
	last atomic.Pointer[time.Time] // when that write began
	sent time.Time                 // when the latest renewal began whose answer was lost
}

// wrote records that this process wrote the Lease.
func (l *lock) wrote(live *coordinationv1.Lease, begin time.Time) {
	l.live = live
	l.last.Store(&begin)
}

func (l *lock) name() string { return "norn-" + l.app }

// acquire creates the Lease or takes over a dead holder's. It does not rely on other machines' clocks: a holder counts
// as dead if this process has not seen the Lease change for leaseDuration.
func (l *lock) acquire(ctx context.Context, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	var seen string
	var since time.Time
	for {
		live, err := l.create(ctx)
		if err != nil || live == nil {
			return err
		}
		if l.mine(live) { // written by an earlier request whose answer was lost
			l.live = live
			return l.renew(ctx)
		}
		if live.ResourceVersion != seen {
			if seen == "" && wait > 0 && !l.dead(live) {
				l.say("waiting: " + l.held(live, false).Error())
			}
			seen, since = live.ResourceVersion, time.Now()
		}
		if l.dead(live) || time.Since(since) > leaseDuration {
			taken, err := l.takeOver(ctx, live)
			if err != nil || taken {
				return err
			}
			continue
		}
		if time.Now().After(deadline) {
			return l.held(live, false)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the lock of %s: %w", l.app, context.Cause(ctx))
		case <-time.After(min(500*time.Millisecond, max(time.Until(deadline), time.Millisecond))):
		}
	}
}

// create creates the Lease. If it already exists, create returns it.
func (l *lock) create(ctx context.Context) (*coordinationv1.Lease, error) {
	begin := time.Now()
	made, err := l.client.CreateLease(ctx, l.lease(&coordinationv1.Lease{}))
	if err == nil {
		l.wrote(made, begin)
		return nil, nil
	}
	if !k8s.IsAlreadyExists(err) {
		return nil, k8s.Explain(err, "lock %s", l.app)
	}
	live, err := l.client.GetLease(ctx, l.ns, l.name())
	if k8s.IsNotFound(err) { // released in between
		return l.create(ctx)
	}
	return live, k8s.Explain(err, "read the lock of %s", l.app)
}

func (l *lock) mine(live *coordinationv1.Lease) bool {
	return live.Spec.HolderIdentity != nil && *live.Spec.HolderIdentity == l.holder.Process
}

// dead reports whether the holder is an ended process of this machine.
func (l *lock) dead(live *coordinationv1.Lease) bool {
	return live.Spec.HolderIdentity != nil && l.holder.Dead != nil && l.holder.Dead(*live.Spec.HolderIdentity)
}

// takeOver makes this process the holder. It reports false if another process was faster.
func (l *lock) takeOver(ctx context.Context, live *coordinationv1.Lease) (bool, error) {
	was, begin := l.held(live, false), time.Now()
	made, err := l.client.UpdateLease(ctx, l.lease(live))
	if k8s.IsConflict(err) || k8s.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, k8s.Explain(err, "take over the lock of %s", l.app)
	}
	l.wrote(made, begin)
	l.say("took over the lock of " + was.holder() + ", which ended without releasing it")
	return true, nil
}

// lease returns a copy of a Lease with this process as its holder.
func (l *lock) lease(into *coordinationv1.Lease) *coordinationv1.Lease {
	lease := into.DeepCopy()
	now, seconds := metav1.NowMicro(), int32(leaseDuration.Seconds())
	lease.Name, lease.Namespace = l.name(), l.ns
	lease.Labels = map[string]string{metadata.ManagedByLabel: metadata.ManagedBy, metadata.AppLabel: l.app}
	lease.Annotations = map[string]string{
		commandAnnotation: l.holder.Command,
		hostAnnotation:    l.holder.User + "@" + l.holder.Host,
		buildAnnotation:   l.holder.Job,
	}
	transitions := int32(0)
	if t := lease.Spec.LeaseTransitions; t != nil {
		transitions = *t + 1
	}
	process := l.holder.Process
	lease.Spec = coordinationv1.LeaseSpec{
		HolderIdentity: &process, LeaseDurationSeconds: &seconds,
		AcquireTime: &now, RenewTime: &now, LeaseTransitions: &transitions,
	}
	return lease
}

func (l *lock) held(live *coordinationv1.Lease, lost bool) *HeldError {
	user, host, _ := strings.Cut(live.Annotations[hostAnnotation], "@")
	e := &HeldError{
		App: l.app, User: user, Host: host, Lost: lost,
		Command: live.Annotations[commandAnnotation], Job: live.Annotations[buildAnnotation],
	}
	if live.Spec.AcquireTime != nil {
		e.Since = live.Spec.AcquireTime.Time
	}
	return e
}

// releaseTimeout bounds the last calls of a run. A Lease that is not released expires.
const releaseTimeout = renewTimeout

// release deletes the Lease if this process still holds it.
func (l *lock) release(ctx context.Context) error {
	ctx, cancel := CleanupContext(ctx, releaseTimeout)
	defer cancel()
	err := l.client.DeleteLease(ctx, l.ns, l.name(), l.live.ResourceVersion)
	if k8s.IsConflict(err) { // another run took it, or the answer of a renewal was lost
		live, getErr := l.client.GetLease(ctx, l.ns, l.name())
		if getErr != nil || !l.mine(live) {
			return nil
		}
		err = l.client.DeleteLease(ctx, l.ns, l.name(), live.ResourceVersion)
	}
	if k8s.IsNotFound(err) {
		return nil
	}
	return k8s.Explain(err, "release the lock of %s", l.app)
}
