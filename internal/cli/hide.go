package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// LiveSecrets hides the values of an app's Secret in all later output. Values that it has once read stay hidden, also
// after they were changed.
type LiveSecrets struct {
	app     *App
	session *Session
	name    string

	mu       sync.Mutex
	versions map[string]bool // of the Secret that were read
	changed  time.Time       // when the first one that was read got its values, or zero
	exists   bool
	denied   bool
	withheld map[string]bool // Pods with older values
}

// SecretUnreadableError means that the values to hide could not be read, so that norn shows nothing. It is not returned
// for a missing Secret, or if the user is not allowed to read the Secret.
type SecretUnreadableError struct {
	Name string
	Err  error
}

func (e *SecretUnreadableError) Error() string {
	return fmt.Sprintf("cannot hide the values of Secret %s: %v", e.Name, e.Err)
}

// Hint says what to do.
func (e *SecretUnreadableError) Hint() string {
	return "try again when the API server answers; norn shows no Pod's output before it knows which values to hide"
}

func (e *SecretUnreadableError) Unwrap() error { return e.Err }

// HideLive hides the values in the app's Secret. It warns if the user is not allowed to read the Secret, because the
// Pods' output is then shown as it is. Any other failure is an error.
func (a *App) HideLive(ctx context.Context, s *Session, app string) (*LiveSecrets, error) {
	l := &LiveSecrets{
		app: a, session: s, name: objects.SecretName(app), versions: map[string]bool{}, withheld: map[string]bool{},
	}
	return l, l.read(ctx)
}

// The attempts to read a Secret while the API server answers with errors. If it does not answer, the connection has
// already repeated the request for longer than secretWait.
const (
	secretAttempts = 5
	secretPause    = 200 * time.Millisecond // doubles with each attempt
	secretWait     = 10 * time.Second       // no attempt begins later
)

// read reads the Secret and hides its values.
func (l *LiveSecrets) read(ctx context.Context) error {
	begin := time.Now()
	live, err := l.session.Client.GetSecret(ctx, l.session.Conf.Namespace, l.name)
	for i := 1; i < secretAttempts && err != nil && !final(err) && time.Since(begin) < secretWait; i++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(secretPause << i):
		}
		live, err = l.session.Client.GetSecret(ctx, l.session.Conf.Namespace, l.name)
	}
	switch {
	case k8s.IsNotFound(err):
		return nil
	case errors.As(err, new(*k8s.DeniedError)):
		if !l.denied {
			l.app.Warnf("secret values in the Pods' output are not hidden: %v", err)
		}
		l.denied = true
		return nil
	case err != nil:
		return &SecretUnreadableError{l.name, err}
	}
	for name, value := range live.Data {
		l.app.Redactor.Hide(name, string(value))
	}
	l.versions[live.ResourceVersion] = true
	if version := live.Annotations[metadata.SecretAnnotation]; version != "" {
		l.versions[version] = true
	}
	if changed := metadata.DataChanged(live); !l.exists {
		l.exists, l.changed = true, changed
	}
	return nil
}

// final reports whether another attempt would not help.
func final(err error) bool {
	return k8s.IsNotFound(err) || errors.As(err, new(*k8s.DeniedError)) || errors.Is(err, context.Canceled)
}

// BeforePod prepares for the output of a Pod. It reads the Secret again if the Pod may have newer values, or if again
// is true: a container that starts again gets the values of that time. It returns false, and warns once, if the Pod has
// older values, which cannot be hidden.
func (l *LiveSecrets) BeforePod(ctx context.Context, p *corev1.Pod, again bool) (show bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.denied || l.withheld[p.Name] || !objects.ReadsSecret(p.Spec, l.name) {
		return !l.withheld[p.Name], nil
	}
	if again || !l.knows(p) {
		if err := l.read(ctx); err != nil {
			return false, err
		}
	}
	if l.denied || l.knows(p) {
		return true, nil
	}
	l.withheld[p.Name] = true
	l.app.Warnf("Pod %s started with values that Secret %s no longer has; norn cannot hide them, so it does not show "+
		"the Pod's lines; to see them unfiltered, run kubectl logs %[1]s", p.Name, l.name)
	return false, nil
}

// knows reports whether the values that a Pod got at its start were read: its template names their version, or the Pod
// was created after they were written. Both times are the API server's.
func (l *LiveSecrets) knows(p *corev1.Pod) bool {
	return l.versions[p.Annotations[metadata.SecretAnnotation]] ||
		l.exists && p.CreationTimestamp.After(l.changed)
}
