package k8s

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// longestStatus is the most bytes that norn reads of an answer through the API server's proxy.
const longestStatus = 64 << 10

// askPod sends a GET request for a path, which begins with /, through the API server's proxy. A Pod answers, or the API
// server with an error. It follows no redirect of a Pod: the next server would get the user's credentials.
func (c *Client) askPod(ctx context.Context, proxied *rest.Request, path string) (status int, err error) {
	target := proxied.URL()
	path, target.RawQuery, _ = strings.Cut(path, "?")
	target.Path += path // URL would drop a final slash, and the API server would redirect to it
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
	return response.StatusCode, nil
}

// isDenied reports whether the API server denied a request for lack of a permission.
func isDenied(err error) bool { return apierrors.IsForbidden(err) && denied.MatchString(err.Error()) }
