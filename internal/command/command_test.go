package command

import (
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
