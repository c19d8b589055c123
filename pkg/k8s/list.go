package k8s

import (
	"context"
	"errors"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cached returns options for a list from the API server's cache, which is fast and may be a moment old.
func cached(selector string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: selector, ResourceVersion: "0"}
}

// together makes calls concurrently and returns their errors, joined in the order of the calls.
func together(calls ...func() error) error {
	errs := make([]error, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() { errs[i] = call() })
	}
	running.Wait()
	return errors.Join(errs...)
}

// ifAllowed returns a call that does nothing if the user lacks the permission.
func ifAllowed(call func() error) func() error {
	return func() error {
		err := call()
		if _, denied := errors.AsType[*DeniedError](err); denied {
			return nil
		}
		return err
	}
}

// lister is the List method of the typed clients. L is the type of the list.
type lister[L any] interface {
	List(ctx context.Context, opts metav1.ListOptions) (L, error)
}

// list returns a call for together that lists objects and passes the list to keep. Its error contains what, the name
// of the objects.
func list[L any](ctx context.Context, client lister[L], opts metav1.ListOptions, what string,
	keep func(L)) func() error {
	return func() error {
		l, err := client.List(ctx, opts)
		if err == nil {
			keep(l)
		}
		return Explain(err, "list %s", what)
	}
}
