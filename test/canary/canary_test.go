// Package canary plants secret values, and searches for leaks in norn's output, files and processes, and in the
// cluster.
package canary

import (
	"cmp"
	"strings"
	"testing"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// row is one norn command of the canary test.
type row struct {
	name  string
	args  string
	stdin string
	code  int
	// before prepares the command.
	before func()
	// showsSecret is true if the output includes secret values, which norn must redact.
	showsSecret bool
	// passesSecrets is true if the user asks norn to pass the values to a command.
	passesSecrets bool
	plain         bool // the command accepts neither -o json nor -v
	colors        bool // the output has colors
}

// The planted values exist only in the app's Secret and in its Pods. No command leaks them in any output mode: neither
// in its output, nor in files, arguments or environments while it runs, nor in other objects.
func TestCanary(t *testing.T) {
	modes := map[string][]string{"in turn": {" -o json", " -v"}}
	if bed.All() {
		modes = map[string][]string{"json": {" -o json"}, "verbose": {" -v"}, "plain": {""}}
	}
	for name, modes := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newCanaryWorld(t)
			for i, r := range a.rows() {
				if mode := modes[i%len(modes)]; !r.plain {
					head, tail, found := strings.Cut(r.args, " -- ")
					if r.args = head + mode; found {
						r.args += " -- " + tail
					}
				}
				a.run(r)
			}
		})
	}
}

// rows returns the commands in their order.
func (a *canaryWorld) rows() []row {
	crash := func(how string) func() {
		return func() {
			a.run(row{name: "set", args: "secrets set CRASH", stdin: a.values["CRASH"+how]})
			a.shell("git commit -qam " + how + " || true")
		}
	}
	fails := func(step string) func() {
		return func() {
			a.shell("rm -f \"$CANARY_FAIL\"/*; git checkout -q .; touch \"$CANARY_FAIL\"/" + cmp.Or(step, "nothing"))
		}
	}
	migrates := func(arguments string) func() {
		return func() {
			a.shell("git checkout -q HEAD~0 infraspec.yaml; sed -i /^migrations/d infraspec.yaml; " +
				"echo 'migrations: {command: [/parrot, migrate" + arguments + "]}' >>infraspec.yaml; " +
				"date +%N >note; git add -A; git commit -qm migration")
		}
	}
	var follow func() // ends it
	rows := []row{
		{name: "init", args: "secrets init"},
		{name: "init again", args: "secrets init"},
	}
	for name, value := range a.values {
		if name != "CRASHno" && name != "CRASHyes" && name != "ROTATEDnew" {
			rows = append(rows, row{name: "set", args: "secrets set " + name, stdin: value})
		}
	}
	for name, word := range a.words {
		rows = append(rows, row{name: "set a word", args: "secrets set " + name, stdin: word})
	}
	rows = append(rows, []row{
		{name: "set", args: "secrets set CRASH", stdin: a.values["CRASHno"]},
		{name: "set from arguments", args: "secrets set PLAIN x", code: 2},
		{name: "import", args: "secrets import -", stdin: "PLAIN='" + a.values["PLAIN"] + "'\n"},
		{name: "import fails", args: "secrets import -", stdin: "PLAIN " + a.values["PLAIN"] + "\n", code: 2},
		{name: "edit", args: "secrets edit"},
		{name: "list", args: "secrets list"},
		{name: "commit", args: "version", before: func() { a.shell("git add -A; git commit -qm secrets || true") }},
		{name: "validate", args: "validate"},
		{name: "doctor", args: "doctor"},
		{name: "render", args: "render", plain: true},
		{name: "forge", args: "forge"},
		{name: "forge again", args: "forge"},
		{name: "diff", args: "diff"},
		{name: "status", args: "status parrot"},
		{name: "source fails", args: "deploy . nosuchref", code: 2},
		{name: "decrypt fails", args: "deploy", code: 2, before: func() {
			a.shell("sed -i 's/data:./data:%/' secrets.enc.yaml")
		}},
		{name: "build fails", args: "deploy", code: 1, showsSecret: true, before: fails("build")},
		{name: "push fails", args: "deploy", code: 1, showsSecret: true, before: fails("push")},
		{name: "test fails", args: "deploy", code: 1, showsSecret: true, before: fails("test")},
		{name: "somebody else's Secret", args: "deploy", code: 5, before: func() {
			fails("")()
			a.Kubectl("delete", "secret", "parrot-secrets", "--ignore-not-found")
			a.Kubectl("create", "secret", "generic", "parrot-secrets")
		}},
		{name: "deploy", args: "deploy", showsSecret: true, before: func() {
			a.Kubectl("delete", "secret", "parrot-secrets", "--ignore-not-found")
		}},
		{name: "deploy again", args: "deploy", showsSecret: true},
		{name: "list", args: "secrets list"},
		{name: "logs", args: "logs", showsSecret: true},
		{
			name: "logs with highlights", args: "logs --grep A --grep [2-7]", showsSecret: true, colors: true, plain: true,
		},
		{name: "logs in JSON", args: "logs -o json --timestamps", showsSecret: true, plain: true},
		{name: "rotation while logs are followed", args: "deploy", showsSecret: true, plain: true, before: func() {
			follow = a.follow()
			a.run(row{name: "set", args: "secrets set ROTATED", stdin: a.values["ROTATEDnew"]})
			a.shell("git commit -qam rotated")
		}},
		{name: "logs after a rotation", args: "logs", showsSecret: true, before: func() { follow() }},
		{name: "status", args: "status parrot"},
		{name: "history", args: "history parrot"},
		{name: "snapshots", args: "snapshots list"},
		{name: "run", args: "run -- /parrot quiet"},
		{name: "rollout fails", args: "deploy --save-failure", code: 4, showsSecret: true, before: crash("yes")},
		{name: "another version", args: "deploy", showsSecret: true, plain: true, before: func() {
			crash("no")()
			a.shell("echo x >note; git add -A; git commit -qm note")
		}},
		{name: "dry run", args: "deploy --dry-run", before: migrates(`, "1"`)},
		{name: "migration fails", args: "deploy", code: 1, showsSecret: true, before: migrates(`, "1"`)},
		{name: "migration", args: "deploy", showsSecret: true, before: migrates("")},
		{name: "restart fails", args: "restart --save-failure", code: 4, showsSecret: true, before: func() {
			patch := `{"stringData":{"CRASH":"` + a.values["CRASHyes"] + `"}}`
			a.Kubectl("patch", "secret", "parrot-secrets", "--type=merge", "-p", patch)
		}},
		{name: "rollback fails", args: "rollback", code: 4, showsSecret: true, plain: true},
		{name: "rotate", args: "secrets rotate"},
		{name: "unset", args: "secrets unset CRASH", plain: true},
		{name: "exec", args: "secrets exec -- true", code: 2},
		{name: "exec", args: "secrets exec -- sh -c true", passesSecrets: true, plain: true, before: crash("no")},
		{name: "exec in JSON", args: "secrets exec -o json -- sh -c true", code: 2, plain: true},
		{name: "teardown", args: "teardown --yes"},
		{name: "teardown again", args: "teardown --yes"},
		{name: "teardown without a terminal", args: "teardown", code: 2},
	}...)
	for _, line := range []string{
		"__complete secrets set P", "__complete secrets unset parrot P", "__complete logs parrot --revision n",
	} {
		rows = append(rows, row{name: "completion", args: line, plain: true})
	}
	return rows
}
