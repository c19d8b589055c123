package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionNumber(t *testing.T) {
	for _, c := range []struct{ answer, want string }{
		{"git version 2.39.5\n", "2.39.5"},
		{"git version 2.39.5 (Apple Git-154)\n", "2.39.5"},
		{"buildah version 1.28.2 (image-spec 1.0.2-dev, runtime-spec 1.0.2-dev)\n", "1.28.2"},
		{"podman version 5.2.2\n", "5.2.2"},
		{"27.5.1\n", "27.5.1"},
		{"pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n", "15.14"},
		{"", ""},
	} {
		if got := versionNumber.FindString(c.answer); got != c.want {
			t.Errorf("version in %q: got %q, want %q", c.answer, got, c.want)
		}
	}
}

// If a builder is installed but does not work, the error quotes the last line of its output.
func TestFindBuilder(t *testing.T) {
	for _, c := range []struct {
		name, tools, ask string
		want, wrong      string
	}{
		{"none installed", "", "", "", "no builder is installed (looked for docker, podman, buildah, nerdctl)"},
		{"chosen one not installed", "", "podman", "", "builder podman is not installed"},
		{"unknown", "", "kaniko", "", `invalid builder "kaniko": must be one of`},
		{"docker", "docker: echo 27.5.1", "", "docker 27.5.1", ""},
		{"docker without engine", "docker: echo oops >&2; exit 1", "", "",
			"docker is installed, but its engine does not respond"},
		{"chosen docker without engine", "docker: echo Cannot connect >&2; exit 1", "docker", "",
			"docker: exit status 1: Cannot connect"},
		{"docker without engine, and buildah", "docker: exit 1\nbuildah: echo buildah version 1.28.2 '(x)'", "",
			"buildah 1.28.2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			for line := range strings.Lines(c.tools) {
				tool, script, _ := strings.Cut(line, ": ")
				if err := os.WriteFile(filepath.Join(dir, tool), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			got, err := BuilderTool(t.Context(), c.ask)
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Errorf("error %v, want %q", err, c.wrong)
				}
				return
			}
			if err != nil || got.Name+" "+got.Version != c.want {
				t.Errorf("%+v, %v; want %s", got, err, c.want)
			}
		})
	}
}
