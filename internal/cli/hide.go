package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// LiveSecrets hides the values that an app's Pods get from Secrets in all later output: from the app's own Secret, and
// from the Secrets that its infraspec refers to. Values that it has once read stay hidden, also after they were
// changed.
type LiveSecrets struct {
	app     *App
	session *Session

	mu       sync.Mutex
	own      *liveSecret
	others   map[string]*liveSecret // by name; read when the first Pod that uses it appears
	withheld map[string]bool        // Pods with older values
}

// liveSecret is a Secret whose values are hidden.
type liveSecret struct {
	name string
	// references are the keys of a Secret that norn does not manage, and the names of their values. A nil one stands for
	// all keys, under their own names.
	references []infraspec.SecretReference

	versions map[string]bool // the versions that were read
	changed  time.Time       // when the first one that was read got its values, or zero
	latest   time.Time       // when the last one that was read got its values, or zero
	keys     map[string]bool // of the last one that was read
	exists   bool
	denied   bool
	known    map[types.UID]bool // Pods whose values were read
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
		app: a, session: s, own: newLiveSecret(objects.SecretName(app)), others: map[string]*liveSecret{},
		withheld: map[string]bool{},
	}
	return l, l.read(ctx, l.own)
}

func newLiveSecret(name string) *liveSecret {
	return &liveSecret{name: name, versions: map[string]bool{}, known: map[types.UID]bool{}}
}

// The attempts to read a Secret while the API server answers with errors. If it does not answer, the connection has
// already repeated the request for longer than secretWait.
const (
	secretAttempts = 5
	secretPause    = 200 * time.Millisecond // doubles with each attempt
	secretWait     = 10 * time.Second       // no attempt begins later
)

// read reads a Secret and hides its values.
func (l *LiveSecrets) read(ctx context.Context, s *liveSecret) error {
	begin := time.Now()
	live, err := l.session.Client.GetSecret(ctx, l.session.Conf.Namespace, s.name)
	for i := 1; i < secretAttempts && err != nil && !final(err) && time.Since(begin) < secretWait; i++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(secretPause << i):
		}
		live, err = l.session.Client.GetSecret(ctx, l.session.Conf.Namespace, s.name)
	}
	switch {
	case k8s.IsNotFound(err):
		s.keys = nil
		return nil
	case errors.As(err, new(*k8s.DeniedError)):
		if !s.denied {
			l.app.Warnf("secret values in the Pods' output are not hidden: %v", err)
		}
		s.denied = true
		return nil
	case err != nil:
		return &SecretUnreadableError{s.name, err}
	}
	s.hide(live, l.app.Redactor.Hide)
	return nil
}

// hide hides the values of a Secret that was read, and notes which ones they are.
func (s *liveSecret) hide(live *corev1.Secret, hide func(name, value string)) {
	s.keys = map[string]bool{}
	for key, value := range live.Data {
		s.keys[key] = true
		if s.references == nil {
			hide(key, string(value))
		}
		for _, ref := range s.references {
			if ref.Key == key || ref.Key == "" {
				hide(ref.Name, string(value))
			}
		}
	}
	s.versions[live.ResourceVersion] = true
	if version := live.Annotations[metadata.SecretAnnotation]; version != "" {
		s.versions[version] = true
	}
	s.latest = metadata.DataChanged(live)
	if !s.exists {
		s.exists, s.changed = true, s.latest
	}
}

// final reports whether another attempt would not help.
func final(err error) bool {
	return k8s.IsNotFound(err) || errors.As(err, new(*k8s.DeniedError)) || errors.Is(err, context.Canceled)
}

// BeforePod prepares for the output of a Pod. It reads the Secrets again if the Pod may have newer values, or if again
// is true: a container that starts again gets the values of that time. It returns false, and warns once, if the Pod has
// older values, which cannot be hidden.
func (l *LiveSecrets) BeforePod(ctx context.Context, p *corev1.Pod, again bool) (show bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.usedBy(p) {
		known := func() bool { return s == l.own && s.knows(p) || s != l.own && s.knowsReferenced(p) }
		if l.withheld[p.Name] || s.denied {
			continue
		}
		if again || !known() {
			if err := l.read(ctx, s); err != nil {
				return false, err
			}
		}
		if s.denied || known() {
			continue
		}
		l.withheld[p.Name] = true
		l.app.Warnf("Pod %s started with values that Secret %s no longer has; norn cannot hide them, so it does not show "+
			"the Pod's lines; to see them unfiltered, run kubectl logs %[1]s", p.Name, s.name)
	}
	return !l.withheld[p.Name], nil
}

// usedBy returns the Secrets whose values a Pod gets.
func (l *LiveSecrets) usedBy(p *corev1.Pod) []*liveSecret {
	var used []*liveSecret
	if objects.ReadsSecret(p.Spec, l.own.name) {
		used = append(used, l.own)
	}
	for _, ref := range objects.Referenced(p.ObjectMeta, p.Spec) {
		s := l.others[ref.Secret]
		if s == nil {
			s = newLiveSecret(ref.Secret)
			l.others[ref.Secret] = s
		}
		if !slices.Contains(s.references, ref) {
			s.references = append(s.references, ref)
			s.latest = time.Time{} // the value of this key is not hidden yet
		}
		if !slices.Contains(used, s) {
			used = append(used, s)
		}
	}
	return used
}

// knows reports whether the values that a Pod got from the app's own Secret at its start were read: its template names
// their version, or the Pod was created after they were written. Both times are the API server's.
func (s *liveSecret) knows(p *corev1.Pod) bool {
	return s.versions[p.Annotations[metadata.SecretAnnotation]] ||
		s.exists && p.CreationTimestamp.After(s.changed)
}

// knowsReferenced reports whether the values that a Pod got from a Secret that norn does not manage were read: the Pod
// was created after the last change of the Secret, or its values were read before that change. Others may change the
// Secret at any time, and no version of it is in the Pod.
func (s *liveSecret) knowsReferenced(p *corev1.Pod) bool {
	for _, ref := range objects.Referenced(p.ObjectMeta, p.Spec) {
		if ref.Secret == s.name && ref.Key != "" && !s.keys[ref.Key] && !s.known[p.UID] {
			return false
		}
	}
	if s.exists && !s.latest.IsZero() && p.CreationTimestamp.After(s.latest) {
		s.known[p.UID] = true
	}
	return s.known[p.UID]
}
