// Package lease locks an app, so only one run at a time changes it. The lock is a Lease in the app's namespace that
// expires if its holder dies.
package lease

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	renewEvery    = 5 * time.Second
	renewTimeout  = 3 * time.Second                // for one renewal
	giveUpAfter   = leaseDuration - 10*time.Second // without a renewal; leaves time before others can take over

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

// WithLock calls do while holding an app's lock. The context of do ends when the lock is lost, so do writes nothing
// after that. If another run holds the lock, the error is a *HeldError.
func WithLock(ctx context.Context, client *k8s.Client, r Request, do func(context.Context) error) error {
	l := &lock{client: client, ns: r.Namespace, app: r.App, holder: r.Holder, say: r.Say}
	if err := l.acquire(ctx, r.Wait); err != nil {
		return err
	}
	life, lost := context.WithCancelCause(context.WithoutCancel(ctx)) // ends with the lock, not with a signal
	held, stop := context.WithCancelCause(context.WithValue(ctx, lifeKey{}, life))
	context.AfterFunc(life, func() { stop(context.Cause(life)) })
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		l.renew(life, lost)
	}()
	err := do(held)
	cause := context.Cause(life)
	lost(nil)
	stop(nil)
	<-renewed
	if cause != nil {
		return errors.Join(cause, err)
	}
	if releaseErr := l.release(context.WithoutCancel(ctx)); releaseErr != nil { // the Lease expires without it
		l.say(releaseErr.Error())
	}
	return err
}

type lifeKey struct{}

// CleanupContext returns a context for cleaning up under the lock of ctx. It outlives a signal that ends ctx, but ends
// when the lock is lost, so nothing is written after that.
func CleanupContext(ctx context.Context) context.Context {
	if life, ok := ctx.Value(lifeKey{}).(context.Context); ok {
		return life
	}
	return context.WithoutCancel(ctx)
}

type lock struct {
	client  *k8s.Client
	ns, app string
	holder  Holder
	say     func(string)

	version string // resourceVersion of the Lease after this process's last write
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
		if l.mine(live) { // created by an earlier request whose answer was lost
			l.version = live.ResourceVersion
			return nil
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
	made, err := l.client.CreateLease(ctx, l.lease(&coordinationv1.Lease{}))
	if err == nil {
		l.version = made.ResourceVersion
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
	was := l.held(live, false)
	made, err := l.client.UpdateLease(ctx, l.lease(live))
	if k8s.IsConflict(err) || k8s.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, k8s.Explain(err, "take over the lock of %s", l.app)
	}
	l.version = made.ResourceVersion
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

// renew renews the Lease until ctx ends. If another run takes the Lease, or norn cannot renew it for giveUpAfter, renew
// cancels the run through lost.
func (l *lock) renew(ctx context.Context, lost context.CancelCauseFunc) {
	last := time.Now()
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		begin := time.Now()
		err := l.renewOnce(ctx)
		held, taken := errors.AsType[*HeldError](err)
		switch {
		case err == nil:
			last = begin
		case ctx.Err() != nil:
			return
		case taken:
			lost(held)
			return
		case time.Since(last) > giveUpAfter:
			lost(fmt.Errorf("the lock of %s could not be renewed for %s: %w", l.app, time.Since(last).Round(time.Second), err))
			return
		}
	}
}

func (l *lock) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	live, err := l.client.GetLease(ctx, l.ns, l.name())
	if err != nil && !k8s.IsNotFound(err) {
		return k8s.Explain(err, "read the lock of %s", l.app)
	}
	if err != nil || !l.mine(live) {
		return l.held(live, true)
	}
	now := metav1.NowMicro()
	live.Spec.RenewTime = &now
	live, err = l.client.UpdateLease(ctx, live)
	if err == nil {
		l.version = live.ResourceVersion
	}
	return k8s.Explain(err, "renew the lock of %s", l.app)
}

// releaseTimeout bounds the last call of a run. A Lease that is not released expires.
const releaseTimeout = 5 * time.Second

// release deletes the Lease if this process still holds it.
func (l *lock) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	err := l.client.DeleteLease(ctx, l.ns, l.name(), l.version)
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
