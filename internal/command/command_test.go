package command

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestEnvironmentHasNoKeys(t *testing.T) {
	t.Setenv("SOPS_AGE_KEY", "canary-key")
	t.Setenv("NORN_GIT_TOKEN", "canary-token")
	t.Setenv("SOPS_AGE_KEY_FILE", "/a/path")
	env := strings.Join(Environment(), "\n")
	if strings.Contains(env, "canary") || !strings.Contains(env, "SOPS_AGE_KEY_FILE=/a/path") {
		t.Error("Environment contains a key or lacks another variable")
	}
}

// A program that norn runs inherits no repository from a hook or an alias. It does inherit the user's settings.
func TestRunHasNoRepository(t *testing.T) {
	list, err := exec.Command("git", "rev-parse", "--local-env-vars").Output()
	if err != nil {
		t.Fatal(err)
	}
	keep := []string{
		"GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_ASKPASS", "GIT_TRACE",
	}
	drop := append(strings.Fields(string(list)), "GIT_NAMESPACE", "GIT_QUARANTINE_PATH")
	drop = slices.DeleteFunc(drop, func(name string) bool { return slices.Contains(keep, name) })
	for _, name := range slices.Concat(keep, drop) {
		t.Setenv(name, "0")
	}
	var out bytes.Buffer
	if err := Run(t.Context(), "", &out, "env"); err != nil {
		t.Fatal(err)
	}
	got := strings.Split(out.String(), "\n")
	for _, name := range keep {
		if !slices.Contains(got, name+"=0") {
			t.Errorf("%s was dropped", name)
		}
	}
	for _, name := range drop {
		if slices.Contains(got, name+"=0") {
			t.Errorf("%s was inherited", name)
		}
		if !slices.Contains(Environment(), name+"=0") {
			t.Errorf("%s is not in Environment", name)
		}
	}
}
