package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
)

// An index names the platforms of its images, and an image's configuration names its own.
func TestPlatforms(t *testing.T) {
	config := "sha256:" + strings.Repeat("c", 64)
	image := fmt.Sprintf(`{"config":{"digest":%q}}`, config)
	const arm = `{"os":"linux","architecture":"arm","variant":"v7"}`
	const amd = `{"os":"linux","architecture":"amd64","rootfs":{}}`
	for _, c := range []struct {
		name, manifest, config string
		want                   []string
		wrong                  string
	}{
		{"image", image, amd, []string{"linux/amd64"}, ""},
		{"image with a variant", image, arm, []string{"linux/arm/v7"}, ""},
		{
			"index", `{"manifests":[{"platform":` + amd + `},{"platform":` + arm + `},{"platform":` + amd + `}]}`, "",
			[]string{"linux/amd64", "linux/arm/v7"}, "",
		},
		{
			"index with an attestation",
			`{"manifests":[{"platform":` + amd + `},{"platform":{"os":"unknown","architecture":"unknown"}},{}]}`, "",
			[]string{"linux/amd64"}, "",
		},
		{"artifact", image, `{}`, nil, "does not name a platform"},
		{"no config", image, "", nil, "404"},
		{"not JSON", "<html>", "", nil, "is not JSON"},
		{"missing", "", "", nil, "404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const password = "canary"
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text := map[string]string{
					"/v2/team/shop/manifests/1": c.manifest, "/v2/team/shop/blobs/" + config: c.config,
				}[r.URL.Path]
				switch _, sent, _ := r.BasicAuth(); {
				case sent != password:
					w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
					w.WriteHeader(http.StatusUnauthorized)
				case text == "":
					w.WriteHeader(http.StatusNotFound)
				default:
					_, _ = w.Write([]byte(text))
				}
			}))
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			named, err := reference.ParseNormalizedNamed(host + "/team/shop:1")
			if err != nil {
				t.Fatal(err)
			}
			got, err := Platforms(t.Context(), named, &Login{User: "me", password: password})
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), password) {
					t.Errorf("error %v, want %q", err, c.wrong)
				}
				return
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
			if _, err := Platforms(t.Context(), named, nil); err == nil || !strings.Contains(err.Error(), "401") {
				t.Errorf("without a login: %v", err)
			}
		})
	}
}
