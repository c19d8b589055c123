// Package registry is the devcluster's image registry. It is go-containerregistry's, with manifests stored on disk, so
// that images survive a restart.
package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"

	"norn/devcluster/internal/state"
)

// manifest is a pushed manifest.
type manifest struct {
	Path, ContentType string
	Body              []byte
}

// store stores pushed manifests on disk: the library stores blobs on disk, but manifests only in memory.
type store struct {
	next http.Handler
	dir  string
	mu   sync.Mutex
}

// private is a path prefix to which access is denied, for tests.
const private = "private/"

var manifestPath = regexp.MustCompile(`^/v2/.+/manifests/[^/]+$`)

// New returns a registry that stores blobs and manifests below dir.
func New(ctx context.Context, dir string) (http.Handler, error) {
	blobs, manifests := filepath.Join(dir, "blobs"), filepath.Join(dir, "manifests")
	for _, d := range []string{blobs, manifests} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, fmt.Errorf("create the registry's folder: %w", err)
		}
	}
	s := &store{
		next: registry.New(
			registry.WithBlobHandler(registry.NewDiskBlobHandler(blobs)),
			registry.Logger(log.New(io.Discard, "", 0)),
		),
		dir: manifests,
	}
	return s, s.replay(ctx)
}

// ServeHTTP implements http.Handler.
func (s *store) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, "/v2/"+private) {
		w.Header().Set("WWW-Authenticate", `Basic realm="devcluster"`)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
		return
	}
	if req.Method != http.MethodPut || !manifestPath.MatchString(req.URL.Path) {
		s.next.ServeHTTP(w, req)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	status := &statusWriter{ResponseWriter: w}
	s.next.ServeHTTP(status, req)
	if status.code == http.StatusCreated {
		if err := s.keep(manifest{req.URL.Path, req.Header.Get("Content-Type"), body}); err != nil {
			log.Printf("store the manifest %q: %v", req.URL.Path, err) //nolint:gosec // quoted
		}
	}
}

func (s *store) keep(m manifest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return state.WriteFile(filepath.Join(s.dir, strings.ReplaceAll(m.Path, "/", "_")+".json"), data, 0o644)
}

// replay pushes the stored manifests to the library. The library rejects an index before its manifests, so an
// index that fails is pushed again after the others.
func (s *store) replay(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(s.dir, "*.json"))
	if err != nil {
		return err
	}
	for range 2 {
		var again []string
		for _, f := range files {
			if !s.put(ctx, f) {
				again = append(again, f)
			}
		}
		files = again
	}
	return nil
}

func (s *store) put(ctx context.Context, file string) bool {
	data, err := os.ReadFile(file)
	var m manifest
	if err != nil || json.Unmarshal(data, &m) != nil {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://registry"+m.Path, bytes.NewReader(m.Body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", m.ContentType)
	w := &statusWriter{ResponseWriter: discard{}}
	s.next.ServeHTTP(w, req)
	return w.code == http.StatusCreated
}

// statusWriter records the status of a response.
type statusWriter struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusWriter) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// discard is a ResponseWriter that discards the response.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}
