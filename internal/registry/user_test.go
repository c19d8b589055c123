package registry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// User reads the configuration of an image, by its tag or digest, and of the first image of an index.
func TestUser(t *testing.T) {
	digest := func(of string) string { return "sha256:" + strings.Repeat(of, 64) }
	files := map[string]string{
		"/v2/team/shop/manifests/1":              fmt.Sprintf(`{"config": {"digest": %q}}`, digest("a")),
		"/v2/team/shop/manifests/index":          fmt.Sprintf(`{"manifests": [{"digest": %q}]}`, digest("b")),
		"/v2/team/shop/manifests/" + digest("b"): fmt.Sprintf(`{"config": {"digest": %q}}`, digest("a")),
		"/v2/team/shop/manifests/wrong":          `{"manifests": [{"digest": "../../x"}]}`,
		"/v2/team/shop/manifests/none":           `{}`,
		"/v2/team/shop/blobs/" + digest("a"):     `{"config": {"User": "1000:1000"}}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.URL.Path]
		switch {
		case r.Header.Get("Authorization") != "Basic dTpw":
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, text)
		}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	for name, want := range map[string]string{
		":1": "1000:1000", ":index": "1000:1000", "@" + digest("b"): "1000:1000", ":none": "", ":wrong": "", ":missing": "",
	} {
		image, err := reference.ParseNormalizedNamed(host + "/team/shop" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := User(t.Context(), image, &Login{User: "u", password: "p"})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
