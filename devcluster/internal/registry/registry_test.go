package registry

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Pushed images survive a restart of the registry.
func TestImagesSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "binary")
	if err := os.WriteFile(binary, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	start := func() (address string, stop func()) {
		t.Helper()
		h, err := New(t.Context(), filepath.Join(dir, "registry"))
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(h)
		return strings.TrimPrefix(s.URL, "http://"), s.Close
	}
	address, stop := start()
	if err := PushBinary(t.Context(), address+"/team/app:1", binary); err != nil {
		t.Fatal(err)
	}
	stop()
	address, stop = start()
	defer stop()
	ref, err := name.ParseReference(address+"/team/app:1", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref)
	if err != nil {
		t.Fatal(err)
	}
	if layers, err := image.Layers(); err != nil || len(layers) != 1 {
		t.Errorf("%d layers, error %v", len(layers), err)
	}
}

func TestPrivate(t *testing.T) {
	h, err := New(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v2/private/app/manifests/1", nil))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("status %d", w.Code)
	}
}
