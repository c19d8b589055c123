package k8s

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The lock on an app is a Lease, so that it ends by itself when its holder dies (kubernetes.io: Leases). Who holds it is
// in its annotations, for the one who has to wait.
const (
	leaseDuration = 40 * time.Second // how long a holder is believed to live after its last renewal; more than rideOut
	renewEvery    = 5 * time.Second
	renewTimeout  = 3 * time.Second                // of one renewal
	giveUpAfter   = leaseDuration - 10*time.Second // without a renewal: two rounds before others may take over

	commandAnnotation = "norn/command"
	hostAnnotation    = "norn/host"
	buildAnnotation   = "norn/ci-job"
)

// Holder is who holds an app's lock, or wants to.
type Holder struct {
	User, Host string
	Command    string // such as "norn deploy"
	Job        string // address of the CI job, or ""
	// Process tells processes apart: the same on this machine only for this process.
	Process string
	// Dead reports whether a process of this machine, by its Process, has ended; false where that cannot be known.
	Dead func(process string) bool
}

// HeldError says that somebody else holds the app's lock.
type HeldError struct {
	App, User, Host, Command, Job string
	Since                         time.Time
	Lost                          bool // it was ours, and was taken over
}

// Error says who holds it, for what, and since when.
func (e *HeldError) Error() string {
	what := "is locked by"
	if e.Lost {
		what = "was taken over by"
	}
	return fmt.Sprintf("%s %s %s", e.App, what, e.holder())
}

func (e *HeldError) holder() string {
	if e.User == "" {
		return "somebody who has deleted its Lease"
	}
	text := fmt.Sprintf("%s@%s (%s, since %s)", e.User, e.Host, e.Command, e.Since.UTC().Format("15:04:05 MST"))
	if e.Job != "" {
		text += ", " + e.Job
	}
	return text
}

// Hint is what to do about it.
func (e *HeldError) Hint() string {
	if e.Lost {
		return "nothing was written after that; run the command again"
	}
	return "wait until it has ended, or let norn wait with --lock-timeout; a holder that has died loses the lock after " + leaseDuration.String()
}

// LockRequest asks for an app's lock.
type LockRequest struct {
	Namespace, App string
	Holder         Holder
	Wait           time.Duration // how long to wait for somebody else's end
	Say            func(string)  // is told, one line each, of waiting and of a takeover
}

// For is the request for one app's lock.
func (r LockRequest) For(ns, app string, say func(string)) LockRequest {
	r.Namespace, r.App, r.Say = ns, app, say
	return r
}

// Holding does what do does while it holds an app's lock. The context that do gets ends when the lock is lost, so that
// nothing is written after that. It returns a *HeldError where the lock is somebody else's.
func (c *Client) Holding(ctx context.Context, r LockRequest, do func(context.Context) error) error {
	l := &lock{client: c, ns: r.Namespace, app: r.App, holder: r.Holder, say: r.Say}
	if err := l.acquire(ctx, r.Wait); err != nil {
		return err
	}
	life, lost := context.WithCancelCause(context.WithoutCancel(ctx)) // ends with the lock, and not with a signal
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
	if releaseErr := l.release(context.WithoutCancel(ctx)); releaseErr != nil { // it expires by itself
		l.say(releaseErr.Error())
	}
	return err
}

type lifeKey struct{}

// Surviving is a context for cleaning up: it goes on when ctx is ended by a signal, and ends with the lock that ctx was
// given under, so that nothing is written after that.
func Surviving(ctx context.Context) context.Context {
	if life, ok := ctx.Value(lifeKey{}).(context.Context); ok {
		return life
	}
	return context.WithoutCancel(ctx)
}

type lock struct {
	client  *Client
	ns, app string
	holder  Holder
	say     func(string)

	version string // the Lease's resourceVersion as this process wrote it last
}

func (l *lock) name() string { return "norn-" + l.app }

// acquire makes the Lease or takes over a dead holder's. Other machines' clocks are not relied on: a Lease counts as dead
// when this process has not seen it change for as long as it says to be valid.
func (l *lock) acquire(ctx context.Context, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	var seen string
	var since time.Time
	for {
		live, err := l.create(ctx)
		if err != nil || live == nil {
			return err
		}
		if l.mine(live) { // made by a call whose answer was lost on the way
			l.version = live.ResourceVersion
			return nil
		}
		if live.ResourceVersion != seen {
			if seen == "" && wait > 0 && !l.gone(live) {
				l.say("waiting: " + l.held(live, false).Error())
			}
			seen, since = live.ResourceVersion, time.Now()
		}
		if l.gone(live) || time.Since(since) > leaseDuration {
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

// create makes the Lease; where there is one, it returns that.
func (l *lock) create(ctx context.Context) (*coordinationv1.Lease, error) {
	made, err := l.client.coordination.Leases(l.ns).Create(ctx, l.lease(&coordinationv1.Lease{}), metav1.CreateOptions{FieldManager: ForgeManager})
	if err == nil {
		l.version = made.ResourceVersion
		return nil, nil
	}
	if !IsAlreadyExists(err) {
		return nil, explain(err, "lock %s", l.app)
	}
	live, err := l.client.coordination.Leases(l.ns).Get(ctx, l.name(), metav1.GetOptions{})
	if IsNotFound(err) { // released in between
		return l.create(ctx)
	}
	return live, explain(err, "read the lock of %s", l.app)
}

func (l *lock) mine(live *coordinationv1.Lease) bool {
	return live.Spec.HolderIdentity != nil && *live.Spec.HolderIdentity == l.holder.Process
}

// gone reports whether the holder is a process of this machine that has ended.
func (l *lock) gone(live *coordinationv1.Lease) bool {
	return live.Spec.HolderIdentity != nil && l.holder.Dead != nil && l.holder.Dead(*live.Spec.HolderIdentity)
}

// takeOver makes this process the holder, unless somebody else was quicker.
func (l *lock) takeOver(ctx context.Context, live *coordinationv1.Lease) (bool, error) {
	was := l.held(live, false)
	made, err := l.client.coordination.Leases(l.ns).Update(ctx, l.lease(live), metav1.UpdateOptions{FieldManager: ForgeManager})
	if IsConflict(err) || IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, explain(err, "take over the lock of %s", l.app)
	}
	l.version = made.ResourceVersion
	l.say("took over the lock of " + was.holder() + ", which has ended without releasing it")
	return true, nil
}

// lease writes this holder into a Lease.
func (l *lock) lease(into *coordinationv1.Lease) *coordinationv1.Lease {
	lease := into.DeepCopy()
	now, seconds := metav1.NowMicro(), int32(leaseDuration.Seconds())
	lease.Name, lease.Namespace = l.name(), l.ns
	lease.Labels = map[string]string{ManagedByLabel: ManagedBy, AppLabel: l.app}
	lease.Annotations = map[string]string{commandAnnotation: l.holder.Command, hostAnnotation: l.holder.User + "@" + l.holder.Host, buildAnnotation: l.holder.Job}
	transitions := int32(0)
	if t := lease.Spec.LeaseTransitions; t != nil {
		transitions = *t + 1
	}
	process := l.holder.Process
	lease.Spec = coordinationv1.LeaseSpec{HolderIdentity: &process, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now, LeaseTransitions: &transitions}
	return lease
}

func (l *lock) held(live *coordinationv1.Lease, lost bool) *HeldError {
	user, host, _ := strings.Cut(live.Annotations[hostAnnotation], "@")
	e := &HeldError{App: l.app, User: user, Host: host, Command: live.Annotations[commandAnnotation], Job: live.Annotations[buildAnnotation], Lost: lost}
	if live.Spec.AcquireTime != nil {
		e.Since = live.Spec.AcquireTime.Time
	}
	return e
}

// renew keeps the Lease alive until ctx ends. When it is somebody else's, or could not be renewed for as long as others
// believe in it, lost is told.
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
		theft, stolen := errors.AsType[*HeldError](err)
		switch {
		case err == nil:
			last = begin
		case ctx.Err() != nil:
			return
		case stolen:
			lost(theft)
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
	live, err := l.client.coordination.Leases(l.ns).Get(ctx, l.name(), metav1.GetOptions{})
	if err != nil && !IsNotFound(err) {
		return explain(err, "read the lock of %s", l.app)
	}
	if err != nil || !l.mine(live) {
		return l.held(live, true)
	}
	now := metav1.NowMicro()
	live.Spec.RenewTime = &now
	live, err = l.client.coordination.Leases(l.ns).Update(ctx, live, metav1.UpdateOptions{FieldManager: ForgeManager})
	if err == nil {
		l.version = live.ResourceVersion
	}
	return explain(err, "renew the lock of %s", l.app)
}

// releaseTimeout bounds the last call of a run; a Lease that is left expires by itself.
const releaseTimeout = 5 * time.Second

// release deletes the Lease, if it is still this process's.
func (l *lock) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	leases := l.client.coordination.Leases(l.ns)
	err := leases.Delete(ctx, l.name(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &l.version}})
	if IsConflict(err) { // somebody else's now, or ours by a renewal whose answer was lost on the way
		live, getErr := leases.Get(ctx, l.name(), metav1.GetOptions{})
		if getErr != nil || !l.mine(live) {
			return nil
		}
		err = leases.Delete(ctx, l.name(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: &live.ResourceVersion}})
	}
	if IsNotFound(err) {
		return nil
	}
	return explain(err, "release the lock of %s", l.app)
}
