package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

// input is norn's standard input, for a container. It reads ahead, so that norn notices an empty input, such as a CI
// step's, before it creates the Job.
type input struct {
	from  io.Reader
	ahead chan struct{} // closed once the first chunk is read
	first []byte
	end   error // of the first chunk

	taken  atomic.Bool           // somebody reads the input, to send it
	sent   atomic.Int64          // bytes
	failed atomic.Pointer[error] // why the input cannot be read to its end
}

const inputChunk = 32 << 10

// newInput returns the input, or nil if from is nil.
func newInput(from io.Reader) *input {
	if from == nil {
		return nil
	}
	in := &input{from: from, ahead: make(chan struct{}), first: make([]byte, inputChunk)}
	go func() {
		defer close(in.ahead)
		n, err := from.Read(in.first)
		in.first, in.end = in.first[:n], err
	}()
	return in
}

// state reports whether the input is known to have data, or to have none.
func (in *input) state() (hasData, isEmpty bool) {
	select {
	case <-in.ahead:
		return len(in.first) > 0, len(in.first) == 0
	default:
		return false, false
	}
}

// isRead reports whether the input is known to have data, or to be empty.
func (in *input) isRead() bool {
	hasData, isEmpty := in.state()
	return hasData || isEmpty
}

// Read implements io.Reader. Reads must not overlap.
func (in *input) Read(p []byte) (int, error) {
	in.taken.Store(true)
	<-in.ahead
	n, err := 0, in.end
	switch {
	case len(in.first) > 0:
		n, err = copy(p, in.first), nil
		in.first = in.first[n:]
	case in.end == nil:
		n, err = in.from.Read(p)
	}
	in.sent.Add(int64(n))
	if err != nil && !errors.Is(err, io.EOF) {
		in.failed.Store(&err)
	}
	return n, err
}

// failure returns why the input could not be read to its end, or nil. The container has got the part before, and then
// an end like any other.
func (in *input) failure() error {
	if err := in.failed.Load(); err != nil {
		return fmt.Errorf("standard input cannot be read after %d bytes: %w", in.sent.Load(), *err)
	}
	return nil
}

// attachPermissions returns the permissions to pass an input. A WebSocket begins with a GET. Since Kubernetes 1.35, the
// API server also checks create (its feature gate AuthorizePodWebsocketUpgradeCreatePermission).
func attachPermissions(ns string) []k8s.Permission {
	return []k8s.Permission{
		{Namespace: ns, Resource: "pods/attach", Verb: "get"},
		{Namespace: ns, Resource: "pods/attach", Verb: "create"},
	}
}

// usableInput returns the request's input, or nil if it is empty. If the user is not allowed to pass it, the result is
// an error, or nil and a warning if the input has no data so far: an idle pipe, as some CI systems leave it, has none.
func usableInput(ctx context.Context, cluster *k8s.Client, r Request) (*input, error) {
	in := newInput(r.In)
	if in == nil {
		return nil, nil
	}
	denied, err := cluster.Denied(ctx, attachPermissions(r.Namespace))
	if err != nil {
		return nil, err
	}
	hasData, isEmpty := in.state()
	switch {
	case isEmpty && !errors.Is(in.end, io.EOF):
		return nil, fmt.Errorf("standard input cannot be read: %w", in.end)
	case isEmpty:
		return nil, nil
	case len(denied) == 0:
		return in, nil
	case hasData:
		return nil, &InputDeniedError{r.Namespace, denied[0].Verb}
	}
	r.Say(fmt.Sprintf("the command gets no standard input: the user is not allowed to %s pods/attach in namespace %s",
		denied[0].Verb, r.Namespace))
	return nil, nil
}

// InputDeniedError reports that the user is not allowed to pass standard input to a container.
type InputDeniedError struct{ Namespace, Verb string }

// Error names the missing permission.
func (e *InputDeniedError) Error() string {
	return fmt.Sprintf("cannot pass standard input: the user is not allowed to %s pods/attach in namespace %s",
		e.Verb, e.Namespace)
}

// Hint returns how to get the permission, and how to do without it.
func (e *InputDeniedError) Hint() string {
	return fmt.Sprintf("ask the cluster's admin for a Role that allows %q on pods/attach, or redirect the input "+
		"from /dev/null", e.Verb)
}

const (
	// attachWait is how long norn tries to attach to a running container, which waits for its input.
	attachWait = 30 * time.Second
	// attachPause is the pause between two tries.
	attachPause = time.Second
	// cutWait is how long norn waits for the end of a container after the input broke, before it ends the Job. The end of
	// the container may be why.
	cutWait = 5 * time.Second
)

// passing is an input that is being passed to a container.
type passing struct {
	stop context.CancelFunc
	done chan struct{}
	err  error // why part of the input was not passed
}

// pass begins to pass an input to the container that runs in p. If that fails, it calls fail, which must end the Job.
func pass(ctx context.Context, cluster *k8s.Client, r Request, to attachment, fail func(error)) *passing {
	ctx, stop := context.WithCancel(ctx)
	out := &passing{stop: stop, done: make(chan struct{})}
	go func() {
		defer close(out.done)
		err := to.attach(ctx, cluster)
		taken, sent := to.in.taken.Load(), to.in.sent.Load()
		switch failure := to.in.failure(); {
		case failure != nil:
			out.err = failure
		case err == nil || ctx.Err() != nil: // all passed, or the container ended before it read everything
			return
		case taken && sent == 0: // an idle pipe, whose connection was cut
			r.Say(fmt.Sprintf("the command gets no more standard input: %v", err))
			return
		case taken:
			out.err = fmt.Errorf("standard input broke off after %d bytes: %w", sent, err)
		case !to.in.isRead(): // an idle pipe, which the command might not need
			r.Say(fmt.Sprintf("the command gets no standard input: %v", err))
			select {
			case <-ctx.Done():
				return
			case <-to.in.ahead:
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(cutWait):
			fail(cmp.Or(out.err, fmt.Errorf("cannot pass standard input: %w", err)))
		}
	}()
	return out
}

// end ends the passing after the container's end. It returns why part of the input was not passed, or nil.
func (p *passing) end() error {
	if p == nil {
		return nil
	}
	p.stop()
	<-p.done
	return p.err
}

// attachment is a running container with the input that it waits for.
type attachment struct {
	pod  *corev1.Pod
	runs container
	in   *input
}

// attach passes the input. It tries again as long as nobody has read the input: after that, bytes may be lost, and the
// container's input is closed.
func (a attachment) attach(ctx context.Context, cluster *k8s.Client) error {
	for begin := time.Now(); ; {
		err := a.tryOnce(ctx, cluster)
		_, denied := errors.AsType[*k8s.DeniedError](err)
		if err == nil || denied || a.in.taken.Load() || time.Since(begin) > attachWait {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(attachPause):
		}
	}
}

// tryOnce passes the input, or gives up if there is no connection within attachWait.
func (a attachment) tryOnce(ctx context.Context, cluster *k8s.Client) error {
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	late := time.AfterFunc(attachWait, func() {
		if !a.in.taken.Load() {
			giveUp(fmt.Errorf("no connection within %s", attachWait))
		}
	})
	defer late.Stop()
	err := cluster.AttachStdin(ctx, a.pod.Namespace, a.pod.Name, string(a.runs), a.in)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}
