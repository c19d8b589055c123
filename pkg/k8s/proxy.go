package k8s

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// longestStatus is the most bytes that norn reads of an answer through the API server's proxy.
const longestStatus = 64 << 10

// askPod sends a GET request through the API server's proxy. A Pod answers, or the API server with an error. It follows
// no redirect of a Pod: the next server would get the user's credentials.
func (c *Client) askPod(ctx context.Context, target *url.URL) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return 0, err
	}
	response, err := c.proxy.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode < http.StatusBadRequest {
		return response.StatusCode, nil
	}
	var answer metav1.Status
	body, err := io.ReadAll(io.LimitReader(response.Body, longestStatus))
	if err == nil && json.Unmarshal(body, &answer) == nil && answer.Kind == "Status" {
		return response.StatusCode, &apierrors.StatusError{ErrStatus: answer}
	}
	if unreached.Match(body) { // the proxy writes plain text (k8s.io/apimachinery/pkg/util/proxy)
		return 0, errors.New(string(body))
	}
	return response.StatusCode, nil
}

// isDenied reports whether the API server denied a request for lack of a permission.
func isDenied(err error) bool { return apierrors.IsForbidden(err) && denied.MatchString(err.Error()) }
