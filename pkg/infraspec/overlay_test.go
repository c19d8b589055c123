package infraspec

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The overlay is beside the infraspec that is read, and never outside its folder.
func TestReadOverlay(t *testing.T) {
	dir := t.TempDir()
	home := filepath.Join(dir, "shop")
	for _, err := range []error{
		os.Mkdir(home, 0o700),
		os.WriteFile(filepath.Join(dir, "outside.yaml"), []byte("kind: Pod\n"), 0o600),
		os.WriteFile(filepath.Join(home, "overlay.yaml"), []byte("kind: Pod\n"), 0o600),
		os.WriteFile(filepath.Join(home, "large.yaml"), make([]byte, maxOverlay+1), 0o600),
		os.Symlink("../outside.yaml", filepath.Join(home, "link.yaml")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"overlay.yaml": "", "missing.yaml": `file "missing.yaml" does not exist in the folder of this file`,
		"link.yaml": "cannot read", "large.yaml": "larger than 256 KiB", "../outside.yaml": "must be a path inside",
		"/etc/passwd": "must be a path inside", ".": "not a regular file",
	} {
		path := filepath.Join(home, "infraspec.yaml")
		if err := os.WriteFile(path, []byte("app: shop\nrole: worker\noverlay: "+name+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		spec, _, err := LoadAs("elsewhere/infraspec.yaml", path)
		switch {
		case want == "" && (err != nil || spec.OverlayFile().doc.file != "elsewhere/overlay.yaml"):
			t.Errorf("%s: %v", name, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), "infraspec.yaml:3:10: error: ") ||
			!strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The file is read and parsed once, whatever happens to it later. Concurrent callers can change their findings.
func TestOverlayIsParsedOnce(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for text, documents := range map[string]int{"kind: Pod\n---\nkind: Service\n": 2, "kind: {\n": 0} {
		write("infraspec.yaml", "app: shop\nrole: worker\noverlay: overlay.yaml\n")
		write("overlay.yaml", text)
		spec, _, err := LoadAs("infraspec.yaml", filepath.Join(dir, "infraspec.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write("overlay.yaml", "")
		nodes, found := spec.OverlayFile().Documents()
		if len(nodes) != documents || (len(found) > 0) != (documents == 0) {
			t.Errorf("%q: %d documents, findings %v", text, len(nodes), found)
		}
		for i := range found {
			found[i].Message = "changed"
		}
		again, foundAgain := spec.OverlayFile().Documents()
		if !slices.Equal(again, nodes) {
			t.Errorf("%q: parsed again", text)
		}
		if len(foundAgain) > 0 && foundAgain[0].Message == "changed" {
			t.Errorf("%q: the findings are shared", text)
		}
	}
}
