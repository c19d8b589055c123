package bed

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Fault disturbs some of the requests to an API server. Faults are counted, never random, so a test that fails does so
// again.
type Fault struct {
	Method string // such as GET; "" means all
	Path   string // a regular expression for the path and the query
	Skip   int    // how many matching requests to leave alone first
	Every  int    // disturb each Every-th of the others; 0 means all
	Count  int    // disturb at most Count requests; 0 means all

	Do func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

// Faults returns a handler for NewAPIProxy that disturbs the requests that the faults match. For each request, the
// first fault that is due counts.
func Faults(faults ...Fault) func(http.Handler) http.Handler {
	type counted struct {
		Fault
		path        *regexp.Regexp
		seen, count int
	}
	var mu sync.Mutex
	all := make([]*counted, len(faults))
	for i, f := range faults {
		all[i] = &counted{Fault: f, path: regexp.MustCompile(f.Path)}
	}
	due := func(r *http.Request) *counted {
		mu.Lock()
		defer mu.Unlock()
		for _, f := range all {
			if f.Method != "" && f.Method != r.Method || !f.path.MatchString(r.URL.RequestURI()) {
				continue
			}
			f.seen++
			turn := f.seen - f.Skip - 1
			if turn < 0 || turn%max(f.Every, 1) != 0 || f.Count > 0 && f.count >= f.Count {
				continue
			}
			f.count++
			return f
		}
		return nil
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if f := due(r); f != nil {
				f.Do(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

type disturb = func(http.ResponseWriter, *http.Request, http.Handler)

// Slow delays requests.
func Slow(by time.Duration) disturb {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		select {
		case <-r.Context().Done():
		case <-time.After(by):
			next.ServeHTTP(w, r)
		}
	}
}

// Stall never answers.
func Stall(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // a server notices that a client has gone only after it has read the body
	<-r.Context().Done()
}

// StallBody answers with the headers and the first bytes of the body, and then with nothing more.
func StallBody(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(&cutWriter{ResponseWriter: w, left: firstBytes, end: func() { <-r.Context().Done() }}, r)
}

// Stream answers with a text, and then with nothing more.
func Stream(text string) disturb {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = fmt.Fprint(w, text)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// Cut closes the connection without an answer. The API server does not get the request.
func Cut(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// CutBody closes the connection in the middle of the answer.
func CutBody(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(&cutWriter{ResponseWriter: w, left: firstBytes, end: func() { panic(http.ErrAbortHandler) }}, r)
}

// Lose lets the API server do what is asked, and then closes the connection without its answer.
func Lose(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(Discard{}, r)
	panic(http.ErrAbortHandler)
}

// Fail answers with an error as an API server does. retryAfter is a header; "" means none.
func Fail(code int, reason, retryAfter string) disturb {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		answer(w, code, reason, "the test disturbs this request")
	}
}

// Forbid answers like an API server that refuses a request, with its message.
func Forbid(message string) disturb {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		answer(w, http.StatusForbidden, "Forbidden", message)
	}
}

// answer writes the error of an API server.
func answer(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"reason":%q,"code":%d}`,
		message, reason, code)
}

// Garbage answers with bytes that are neither JSON nor protobuf.
func Garbage(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte("\x00\xff<html>}{\x1b[31m"))
}

// Huge answers with size bytes.
func Huge(size int) disturb {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		part := strings.Repeat(" ", 1<<20)
		for range size / len(part) {
			if _, err := w.Write([]byte(part)); err != nil {
				return
			}
		}
	}
}

// firstBytes is how much of a body arrives before it is cut off.
const firstBytes = 20

// cutWriter passes on the first bytes of a body, and then calls end.
type cutWriter struct {
	http.ResponseWriter
	left int
	end  func()
}

// Write implements io.Writer.
func (c *cutWriter) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	c.left -= n
	if c.left == 0 || err != nil {
		c.Flush()
		c.end()
		return len(p), err
	}
	return n, err
}

// Flush implements http.Flusher.
func (c *cutWriter) Flush() { _ = http.NewResponseController(c.ResponseWriter).Flush() }
