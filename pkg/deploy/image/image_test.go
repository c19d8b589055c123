package image

import (
	"slices"
	"strings"
	"testing"
)

func TestBeyond(t *testing.T) {
	tags := []string{
		"0123456789ab", "latest", "1123456789ab-dirty", "2123456789ab", "v1", "3123456789ab-dirty.1700000000",
	}
	want := []string{"2123456789ab", "3123456789ab-dirty.1700000000"}
	if got := Beyond(tags, 2); !slices.Equal(got, want) {
		t.Errorf("Beyond(tags, 2) = %v, want %v", got, want)
	}
	if got := Beyond(tags, 9); len(got) != 0 {
		t.Errorf("Beyond(tags, 9) = %v, want none", got)
	}
}

// buildah's cache considers norn's build args only in RUN.
func TestCacheable(t *testing.T) {
	for text, want := range map[string]bool{
		"FROM scratch\nCOPY a /\n":                                  true,
		"FROM x\nARG VERSION\nRUN echo $VERSION > /v\n":             true,
		"FROM x\nARG VERSION\nENV V=$VERSION\n":                     false,
		"FROM x\nARG BUILD_NUMBER=0\nLABEL n=\"${BUILD_NUMBER}\"\n": false,
		"FROM x\n# ENV V=$VERSION\n":                                true,
		"FROM x\nENV A=1 \\\nRUBY_VERSION=$VERSION\n":               false,
		"FROM x\nLABEL a=1 \\\n  runtime.version=$VERSION\n":        false,
		"FROM x\nENV A=1 \\\n# RUN\nRUN=$VERSION\n":                 false,
		"FROM x\nRUN a \\\n  && b $VERSION\n":                       true,
		"FROM x\nRUN <<EOF\nENV V=$VERSION\nEOF\n":                  true,
		"FROM x\nCOPY <<RUN /v\nRUN $VERSION\nRUN\n":                false,
		"FROM x\nRUN echo <<X\nENV V=$VERSION\n":                    false,
		"# escape=`\nFROM x\nENV A=1 `\nRUBY=$VERSION\n":            false,
		"FROM x\nONBUILD RUN echo $VERSION\n":                       false,
	} {
		if got := cacheable(dockerfile(t, text), []string{"VERSION=1", "BUILD_NUMBER=1"}); got != want {
			t.Errorf("cacheable(%q) = %t", text, got)
		}
	}
}

func TestLoader(t *testing.T) {
	for kind, want := range map[string]string{
		"kind":       "kind load image-archive f --name n",
		"k3d":        "k3d image import f --cluster n",
		"minikube":   "minikube image load f --profile n",
		"k3s":        "k3s ctr images import f",
		"containerd": "ctr --namespace k8s.io images import f",
		"devcluster": "devcluster load f",
	} {
		name, args := Loader(kind, "n", "f")
		if got := name + " " + strings.Join(args, " "); got != want {
			t.Errorf("Loader(%q) = %q, want %q", kind, got, want)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	for image, want := range map[string]bool{
		"127.0.0.1:5000/a:1": true, "localhost/a:1": true, "localhost:5000/a:1": true, "[::1]:5000/a:1": true,
		"registry.example.com/a:1": false, "10.0.0.1:5000/a:1": false, "localhost.example.com/a:1": false,
	} {
		if got := PlainHTTP(image); got != want {
			t.Errorf("PlainHTTP(%q) = %t", image, got)
		}
	}
}

func TestDigestOf(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	list := []byte(`["other/shop@` + digest + `","me/shop@` + digest + `"]`)
	if got, err := digestOf("docker.io/me/shop:1", list); err != nil || got != digest {
		t.Errorf("digestOf = %q, %v; want %q", got, err, digest)
	}
	if got, err := digestOf("registry.example.com/me/shop:1", list); err == nil {
		t.Errorf("digestOf = %q for a repository without a digest", got)
	}
}

// buildah lists all tags of an image that it has built before. norn shows only the new one.
func TestOlderTags(t *testing.T) {
	var out strings.Builder
	o := &olderTags{to: &out, own: "r/shop:2"}
	for _, part := range []string{
		"STEP 1\nSucc", "essfully tagged r/shop:1\nSuccessfully tagged r/shop:2\nSuccessfully", " tagged ", "r/x:3\nid",
	} {
		if n, err := o.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := o.flush(); err != nil || out.String() != "STEP 1\nSuccessfully tagged r/shop:2\nid" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
