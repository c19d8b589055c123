package deploy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"norn/pkg/deploy/rollout"
	"norn/pkg/deploy/source"
)

// An image that only nodes have is in no registry. norn does not ask Docker Hub for an image of the same name, whose
// user says nothing about it.
func TestUserOfLoadedImage(t *testing.T) {
	dir := t.TempDir()
	asked := filepath.Join(dir, "asked")
	for name, text := range map[string]string{
		"config.json":            `{"credsStore": "fake"}`,
		"docker-credential-fake": "#!/bin/sh\n: >" + asked + "\nexit 1\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // runs
			t.Fatal(err)
		}
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	spec := parse(t, "app: shop\nrole: worker\npod: {security: restricted}\n")
	o := Options{Target: rollout.Target{Namespace: "default"}, Version: Version{Image: "shop:1"}}
	r := &run{spec: spec, options: o}
	if err := r.checkUser(t.Context(), liveApp{}, source.Tree{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(asked); !errors.Is(err, fs.ErrNotExist) {
		t.Error("norn looked for a login")
	}
}
