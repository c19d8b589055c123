package k8s

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
)

// AnswerError reports an answer that does not come from a Kubernetes API server.
type AnswerError struct {
	Status    string // such as "404 Not Found"; "" for 200
	MediaType string // such as text/html; "" for an empty answer
	Host      string // the host to which the server redirected the request, or ""
}

// Error says what was answered instead.
func (e *AnswerError) Error() string {
	text := "answered with " + e.MediaType
	if e.MediaType == "" {
		text = "sent an empty answer"
	}
	if e.Host != "" {
		text += " from " + e.Host + " after a redirect"
	}
	text += ", not Kubernetes"
	if e.Status != "" {
		text += " (" + e.Status + ")"
	}
	return text
}

// versionIn returns the API server's version in its answer, or the answer's error.
func versionIn(resp *http.Response, body []byte) (string, error) {
	if resp.StatusCode == http.StatusOK {
		var info version.Info
		if json.Unmarshal(body, &info) == nil && (info.GitVersion != "" || info.Major != "") {
			return info.GitVersion, nil
		}
		return "", foreign(resp, body)
	}
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" {
		return "", apierrors.FromObject(&status)
	}
	// Gateways in front of API servers reject users in their own words.
	text := strings.TrimSpace(resp.Status)
	switch {
	case resp.StatusCode == http.StatusUnauthorized:
		return "", apierrors.NewUnauthorized(text)
	case resp.StatusCode == http.StatusForbidden && mediaType(resp, body) != "text/html":
		return "", apierrors.NewForbidden(schema.GroupResource{}, "", fmt.Errorf("%s", text))
	}
	return "", foreign(resp, body)
}

func foreign(resp *http.Response, body []byte) error {
	e := &AnswerError{MediaType: mediaType(resp, body)}
	if resp.StatusCode != http.StatusOK {
		e.Status = resp.Status
	}
	if resp.Request != nil && resp.Request.Response != nil { // the last request followed a redirect
		e.Host = resp.Request.URL.Host
	}
	return e
}

// mediaType returns the media type of an answer, or "" if the answer is empty.
func mediaType(resp *http.Response, body []byte) string {
	if len(body) == 0 {
		return ""
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return "data of an unknown type"
	}
	return kind
}
