package root

import (
	"strings"
	"testing"

	"norn/internal/cli"
	"norn/test/bed"
)

// A mistyped command line exits with code 2. The message names the mistake, and the hint says what to write instead.
func TestMistypedCommandLines(t *testing.T) {
	bed.HomeWithApps(t)
	t.Chdir(t.TempDir())
	const shell = "kubectl exec -it deploy/APP -- sh"
	for line, want := range map[string]string{
		"dploy":                    `unknown command "dploy"; did you mean "deploy"?`,
		"stat":                     `did you mean "status"?`,
		"up":                       "norn deploy",
		"man":                      "norn help COMMAND",
		"exec shop":                shell,
		"exec -it shop -- sh":      shell,
		"ssh shop":                 shell,
		"console":                  shell,
		"open shop":                "kubectl port-forward deploy/APP",
		"port-forward shop 8080":   "kubectl port-forward deploy/APP",
		"apply -f shop.yaml":       `unknown command "apply"`,
		"secrets sett -x TOKEN":    `unknown command "sett" for norn secrets; did you mean "set"?`,
		"run -it shop -- sh":       "kubectl exec -it deploy/APP",
		"status -A":                "--namespace",
		"deploy shop --dryrun":     "unknown flag: --dryrun; did you mean --dry-run?",
		"logs --folow":             "did you mean --follow?",
		"deploy a b c":             "all with --all",
		"rollback shop 5":          "pass the revision with --to",
		"--version":                "norn version",
		"help migrations":          "migrations is a key of infraspec.yaml",
		"help ingress":             "route.ingress",
		"help exec":                shell,
		"help NORN_REGISTRY_URL":   "norn help environment",
		"help nonsense":            "run norn help to list the commands and topics",
		"validate shpo":            "did you mean shop?",
		"deploy shpo --kubeconfig": "flag needs an argument",
	} {
		code, stdout, stderr := norn(t, strings.Fields(line)...)
		if code != cli.ExitUsage || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("norn %s: exit code %d, want %q in:\n%s%s", line, code, want, stdout, stderr)
		}
		if strings.Contains(stderr, `did you mean "run"`) {
			t.Errorf("norn %s: %s", line, stderr)
		}
	}
}

// In a folder above several apps, the hint lists the apps.
func TestAppsBelowAreListed(t *testing.T) {
	dir := t.TempDir()
	bed.EmptyHome(t)
	bed.WriteFiles(t, dir, map[string]string{
		"alpha/infraspec.yaml": "app: alpha\nrole: worker\n", "beta/infraspec.yaml": "app: beta\nrole: worker\n",
		"docs/readme": "",
	})
	t.Chdir(dir)
	const want = "Hint: pass the folder of an app: ./alpha, ./beta\n"
	if _, _, stderr := norn(t, "validate"); !strings.Contains(stderr, want) {
		t.Error(stderr)
	}
}
