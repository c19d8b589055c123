package control

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"norn/test/bed"
)

// searcher prints the environments of a process and of its ancestors, as far as the system shows them.
const searcher = `#!/bin/sh
pid=$$
while [ "$pid" -gt 1 ]; do
	tr '\0' '\n' <"/proc/$pid/environ"
	pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
done >"$FOUND/$1" 2>&1
`

// What norn runs finds norn's keys neither in its own environment nor in norn's. The builder, which logs in to the
// registry, gets the cloud credentials, and what creates them; the tests of the repository do not.
func TestProgramsFindNoKeys(t *testing.T) {
	t.Parallel()
	w := bed.New(t, bed.ControlPlane(t))
	found := t.TempDir()
	bin := filepath.Join(w.Home, "bin")
	bed.WriteFiles(t, w.Home, map[string]string{
		"bin/searcher": searcher,
		"bin/buildah": "#!/bin/sh\nsearcher \"buildah-$1\"\n" +
			"while [ $# -gt 1 ]; do [ \"$1\" != --digestfile ] || echo sha256:" + strings.Repeat("1", 64) + " >\"$2\"\n" +
			"shift; done\n",
		"bin/pg_dump":     "#!/bin/sh\nsearcher pg_dump\nexit 1\n",
		"shop/Dockerfile": "FROM scratch\n",
		"shop/infraspec.yaml": workerApp + "secrets: [TOKEN]\nbuild: {test: searcher test}\n" +
			"migrations: {command: [migrate], database: shop}\n",
	})
	w.Env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "FOUND=" + found,
		"NORN_REGISTRY_URL=example.com/team", "NORN_BUILDER=buildah",
	}
	bed.Git(t, filepath.Join(w.Home, "shop"), "init", "-q")
	w.Norn("secrets", "init", "shop")
	w.Norn("secrets", "set", "shop", "TOKEN=canary-of-the-app")
	bed.Commit(t, filepath.Join(w.Home, "shop"), "first")
	file := filepath.Join(w.Home, ".config", "sops", "age", "keys.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(w.Home, "canary-keys.txt")
	if err := os.Rename(file, keys); err != nil {
		t.Fatal(err)
	}
	key := text[strings.Index(string(text), "AGE-SECRET-KEY-"):]
	credentials := []string{
		"VAULT_TOKEN=canary-vault", "AWS_SECRET_ACCESS_KEY=canary-aws", "AZURE_CLIENT_SECRET=canary-azure",
		"GOOGLE_OAUTH_ACCESS_TOKEN=canary-google", "IDENTITY_HEADER=canary-identity", "MSI_SECRET=canary-msi",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=canary-github", "ACTIONS_ID_TOKEN_REQUEST_URL=https://canary.example.com",
		"SYSTEM_ACCESSTOKEN=canary-pipelines", "DOCKER_AUTH_CONFIG={\"auths\":{\"canary.example.com\":{}}}",
		"SOPS_AGE_KEY_CMD=cat " + keys,
	}
	w.Env = append(w.Env, "SOPS_AGE_KEY="+strings.TrimSpace(string(key)), "NORN_GIT_TOKEN=canary-git")
	w.Env = append(w.Env, credentials...)
	expect(w, 1, []string{"deploy", "shop"}, "pg_dump")
	for program, allowed := range map[string][]string{
		"buildah-build": credentials, "buildah-push": credentials, "test": nil, "pg_dump": credentials,
	} {
		data, err := os.ReadFile(filepath.Join(found, program))
		if err != nil || !strings.Contains(string(data), "FOUND="+found) {
			t.Errorf("%s found nothing: %v", program, err)
			continue
		}
		lines := strings.Split(string(data), "\n")
		for _, line := range lines {
			secret := strings.Contains(line, "canary") || strings.Contains(line, "AGE-SECRET-KEY")
			if secret && !slices.Contains(allowed, line) {
				t.Errorf("%s found %s", program, line)
			}
		}
		for _, line := range allowed {
			if !slices.Contains(lines, line) {
				t.Errorf("%s lacks %s", program, line)
			}
		}
	}
}
