package image

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"testing"
)

// archived returns a tar archive. Names that end in / are folders, and contents that begin with -> are links.
func archived(t *testing.T, files map[string]string) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, content := range files {
		h := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Format: tar.FormatPAX}
		if target, link := strings.CutPrefix(content, "->"); link {
			h.Typeflag, h.Linkname, h.Size, content = tar.TypeSymlink, target, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// A program is missing only if nothing in the image has its name.
func TestMissingPrograms(t *testing.T) {
	app := archived(t, map[string]string{"shop": "x", "etc/": "", "bin/": "", "bin/sh": "->/bin/busybox"})
	shop, report := archived(t, map[string]string{"shop": "x"}), archived(t, map[string]string{"report": "x"})
	const json = `{"layers": "shop, sh"}`
	type files = map[string]string
	for name, c := range map[string]struct {
		archive        files
		programs, want []string
		fails          bool
	}{
		"found":       {files{"a/layer.tar": app}, []string{"/shop", "/bin/sh", "shop"}, nil, false},
		"scratch":     {files{"l": shop}, []string{"/shop", "/bin/sh"}, []string{"/bin/sh"}, false},
		"compressed":  {files{"blobs/sha256/1": zipped(t, app)}, []string{"/shop", "/nope"}, []string{"/nope"}, false},
		"a folder":    {files{"l": app, "manifest.json": json}, []string{"etc"}, []string{"etc"}, false},
		"elsewhere":   {files{"l": app}, []string{"/usr/local/bin/shop"}, nil, false},
		"two layers":  {files{"1": app, "2": report}, []string{"report"}, nil, false},
		"no layers":   {files{"manifest.json": json}, []string{"shop"}, nil, true},
		"zstd":        {files{"l": zstdMagic + strings.Repeat("x", 600)}, []string{"shop"}, nil, true},
		"cut off":     {files{"l": zipped(t, app)[:60]}, []string{"nope"}, nil, true},
		"empty layer": {files{"l": strings.Repeat("\x00", 1024)}, []string{"sh"}, []string{"sh"}, false},
	} {
		got, err := missingFrom(strings.NewReader(archived(t, c.archive)), c.programs)
		if !slices.Equal(got, c.want) || (err != nil) != c.fails {
			t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
		}
	}
}
