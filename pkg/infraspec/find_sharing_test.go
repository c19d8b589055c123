package infraspec

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Several apps may share a folder. norn finds each by its name, in the folder itself and in the apps folder.
func TestAppsThatShareAFolder(t *testing.T) {
	apps := t.TempDir()
	for path, app := range map[string]string{
		"shop/infraspec.yaml": "shop", "shop/infraspec.worker.yaml": "shop-worker", "shop/infraspec.worker.txt": "x",
		"blog/infraspec.yaml": "blog", "jobs/infraspec.night.yaml": "night", "shop/deep/infraspec.x.yaml": "deep",
	} {
		path = filepath.Join(apps, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("app: "+app+"\nrole: worker\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, here, want string }{
		{"shop", "/", "shop/infraspec.yaml"},
		{"shop-worker", "/", "shop/infraspec.worker.yaml"},
		{"shop-worker", filepath.Join(apps, "shop", "deep"), "shop/infraspec.worker.yaml"},
		{"night", "/", "jobs/infraspec.night.yaml"},
		{"worker", "/", ""},
		{"deep", "/", ""},
	} {
		got, err := Locate(c.name, c.here, apps)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: %s", c.name, got)
			}
			continue
		}
		if err != nil || got != filepath.Join(apps, c.want) {
			t.Errorf("%s in %s: %q, %v", c.name, c.here, got, err)
		}
	}
	paths, err := List(apps)
	var names []string
	for _, path := range paths {
		names = append(names, NameIn(apps, path))
	}
	if want := []string{"blog", "night", "shop-worker", "shop"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%q, want %q; %v", names, want, err)
	}
	if found := namesIn("/", apps); Nearest("shop-workr", found) != "shop-worker" {
		t.Errorf("%q", found)
	}
}

// An infraspec in the apps folder itself is found by the name that it sets, and listed with the others.
func TestAppsInTheTop(t *testing.T) {
	apps := t.TempDir()
	for path, app := range map[string]string{
		"infraspec.yaml": "site", "infraspec.worker.yaml": "site-worker", "blog/infraspec.yaml": "blog",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(apps, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(apps, path), []byte("app: "+app+"\nrole: worker\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"site": "infraspec.yaml", "site-worker": "infraspec.worker.yaml", "blog": "blog/infraspec.yaml",
	} {
		if got, err := Locate(name, "/", apps); err != nil || got != filepath.Join(apps, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	t.Chdir(apps)
	for _, dir := range []string{apps, ".", apps + "/"} {
		paths, err := List(dir)
		var names []string
		for _, path := range paths {
			names = append(names, NameIn(dir, path))
		}
		if want := []string{"blog", "site-worker", "site"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %q, want %q; %v", dir, names, want, err)
		}
	}
}
