package lease

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"norn/pkg/k8s"
)

// server is an API server with one Lease.
type server struct {
	latency time.Duration // of each call
	disturb func(n int, r *http.Request) (*http.Response, error)

	mu      sync.Mutex
	lease   *coordinationv1.Lease
	version int
	calls   int
}

// RoundTrip implements http.RoundTripper.
func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-time.After(s.latency):
	}
	s.mu.Lock()
	s.calls++
	call := s.calls
	answer, err := s.answer(r)
	s.mu.Unlock()
	if s.disturb != nil {
		if other, err := s.disturb(call, r); other != nil || err != nil {
			return other, err
		}
	}
	return answer, err
}

func (s *server) answer(r *http.Request) (*http.Response, error) {
	var sent coordinationv1.Lease
	if r.Body != nil {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return nil, err
		}
	}
	switch {
	case r.Method == http.MethodPost && s.lease != nil:
		return status(http.StatusConflict, metav1.StatusReasonAlreadyExists), nil
	case r.Method != http.MethodPost && s.lease == nil:
		return status(http.StatusNotFound, metav1.StatusReasonNotFound), nil
	case r.Method == http.MethodPut && sent.ResourceVersion != s.lease.ResourceVersion:
		return status(http.StatusConflict, metav1.StatusReasonConflict), nil
	case r.Method == http.MethodDelete:
		s.lease = nil
		return status(http.StatusOK, ""), nil
	case r.Method == http.MethodGet:
		return respond(http.StatusOK, s.lease), nil
	}
	s.write(&sent)
	return respond(http.StatusOK, s.lease), nil
}

func (s *server) write(lease *coordinationv1.Lease) {
	s.version++
	s.lease = lease.DeepCopy()
	s.lease.ResourceVersion = strings.Repeat("v", s.version)
}

// takeOver makes somebody else the holder.
func (s *server) takeOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	other, now := "other", metav1.NowMicro()
	s.write(&coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Annotations: map[string]string{hostAnnotation: "bob@b", commandAnnotation: "norn deploy"},
		},
		Spec: coordinationv1.LeaseSpec{HolderIdentity: &other, AcquireTime: &now},
	})
}

func status(code int32, reason metav1.StatusReason) *http.Response {
	return respond(int(code), &metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: code, Reason: reason,
	})
}

func respond(code int, object any) *http.Response {
	data, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(string(data))),
	}
}

// hold holds the lock on s while do runs, with virtual time.
func hold(t *testing.T, s *server, do func(context.Context, *k8s.Client) error) error {
	t.Helper()
	conf := &rest.Config{Host: "http://server", Transport: s, QPS: -1}
	conf.ContentType, conf.AcceptContentTypes = "application/json", "application/json"
	client, err := k8s.New(conf, "test")
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Namespace: "shops", App: "shop", Holder: Holder{Process: "me"}, Say: func(string) {}}
	return WithLock(t.Context(), client, r, func(ctx context.Context) error { return do(ctx, client) })
}

// wait waits, or returns why ctx ended.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// mayWrite asks the guard of ctx, as the transport does.
func mayWrite(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPatch, "http://server/apis/apps/v1/deployments/shop", nil)
	if err != nil {
		return err
	}
	return k8s.CheckGuard(req)
}

// A run keeps its lock if the API server takes seconds for each call, does not answer some of them, or makes
// the change and then loses the answer.
func TestRenewalsOnABadServer(t *testing.T) {
	lost := errors.New("the connection was cut")
	for name, s := range map[string]*server{
		"fast": {},
		"2 s":  {latency: 2 * time.Second},
		"8 s":  {latency: 8 * time.Second},
		"11 s": {latency: 11 * time.Second},
		"no answer to each third call": {disturb: func(n int, r *http.Request) (*http.Response, error) {
			if n%3 == 0 {
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return nil, nil
		}},
		"each third answer is lost": {
			latency: 2 * time.Second,
			disturb: func(n int, _ *http.Request) (*http.Response, error) {
				if n%3 == 0 {
					return nil, lost
				}
				return nil, nil
			},
		},
		"each answer to an update is lost, and the repeated update conflicts": {
			disturb: func(_ int, r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPut {
					return status(http.StatusConflict, metav1.StatusReasonConflict), nil
				}
				return nil, nil
			},
		},
		"errors for 20 s of each minute": {disturb: func(n int, _ *http.Request) (*http.Response, error) {
			if n > 1 && time.Now().Second() < 20 {
				return status(http.StatusInternalServerError, metav1.StatusReasonInternalError), nil
			}
			return nil, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := hold(t, s, func(ctx context.Context, _ *k8s.Client) error {
					for range 200 {
						if err := errors.Join(wait(ctx, 3*time.Second), mayWrite(ctx)); err != nil {
							return err
						}
						s.mu.Lock()
						if age := time.Since(s.lease.Spec.RenewTime.Time); age > leaseDuration {
							t.Errorf("another run may take the lock: the last renewal is %s old", age)
						}
						s.mu.Unlock()
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// If another run has the lock, the context ends with its name, and no write is allowed after that, not even to clean
// up.
func TestLockTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		err := hold(t, s, func(ctx context.Context, _ *k8s.Client) error {
			s.takeOver()
			cleanup, cancel := CleanupContext(ctx, time.Minute)
			defer cancel()
			cleanup = context.WithoutCancel(cleanup)
			if err := wait(ctx, 2*renewEvery); err == nil {
				t.Error("the run goes on")
			}
			if err := mayWrite(cleanup); err == nil {
				t.Error("a cleanup may write")
			}
			return context.Cause(ctx)
		})
		held, ok := errors.AsType[*HeldError](err)
		if !ok || !held.Lost || held.User != "bob" {
			t.Errorf("error %v", err)
		}
		if s.lease == nil {
			t.Error("the other run's Lease was deleted")
		}
	})
}

// A run that cannot renew its lock stops writing before another run may take it.
func TestLockNotRenewed(t *testing.T) {
	for name, away := range map[string]func(*http.Request) (*http.Response, error){
		"refused": func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") },
		"silent":  func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{disturb: func(n int, r *http.Request) (*http.Response, error) {
					if n == 1 {
						return nil, nil
					}
					return away(r)
				}}
				begin := time.Now()
				err := hold(t, s, func(ctx context.Context, _ *k8s.Client) error { return wait(ctx, time.Hour) })
				if after := time.Since(begin); err == nil || after < giveUpAfter || after >= leaseDuration {
					t.Errorf("after %s: %v", after, err)
				}
			})
		})
	}
}

// After a pause, the first write renews the lock, and is refused if another run has it.
func TestWriteAfterPause(t *testing.T) {
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{latency: time.Second}
			_ = hold(t, s, func(ctx context.Context, client *k8s.Client) error {
				r := &renewals{life: ctx, turn: make(chan struct{}, 1), lose: func(error) {}}
				r.lock = &lock{client: client, ns: "shops", app: "shop", holder: Holder{Process: "me"}, live: s.lease}
				before := time.Now().Add(-time.Minute) // the process was stopped for a minute
				r.lock.last.Store(&before)
				if taken {
					s.takeOver()
				}
				version := s.version
				err := r.mayWrite(ctx)
				if !taken && (err != nil || s.version != version+1) {
					t.Errorf("error %v, %d renewals", err, s.version-version)
				}
				if held, ok := errors.AsType[*HeldError](err); taken && (!ok || held.User != "bob" || s.version != version) {
					t.Errorf("error %v, %d renewals", err, s.version-version)
				}
				return nil
			})
		})
	}
}

// While a machine sleeps, only the wall clock goes on.
func TestAge(t *testing.T) {
	last := time.Now()
	l := &lock{}
	l.last.Store(&last)
	slept := last.Round(0).Add(time.Hour) // without a monotonic reading
	if got := l.age(slept); got != time.Hour {
		t.Errorf("age %s after a sleep of an hour", got)
	}
	if got := l.age(last.Add(time.Minute)); got != time.Minute {
		t.Errorf("age %s after a minute", got)
	}
}
