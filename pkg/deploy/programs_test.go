package deploy

import (
	"fmt"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

// norn looks for the programs of schedules, and before a migration for those of all processes, unless the image alone
// does not decide.
func TestProgramsOf(t *testing.T) {
	const (
		worker = "app: shop\nrole: worker\n"
		cron   = "app: shop\nrole: cron\nschedule: '@daily'\n"
		volume = "volumes: [{name: a, mountPath: /data/, size: 1Gi}]\n"
	)
	for text, want := range map[string]string{
		worker + "command: [/shop]\n": "",
		worker + "command: [/shop]\nmigrations: {command: /shop migrate}\nprocesses:\n  mailer: {command: /shop mail}\n" +
			"  admin: {}\n": "/shop of command, /bin/sh of processes.mailer.command (a string)",
		worker + "processes:\n  nightly: {role: cron, schedule: '@daily', command: [/shop]}\n  mailer: {}\n": "/shop of " +
			"processes.nightly.command",
		cron + "command: [shop, report]\n":                 "shop of command",
		cron + "command: shop report\n":                    "/bin/sh of command (a string)",
		cron + "command: [/data/bin/shop]\n" + volume:      "",
		cron + "command: [/database]\n" + volume:           "/database of command",
		cron + "command: [shop]\n" + volume:                "", // PATH may contain /data
		cron + "command: [/shop]\noverlay: overlay.yaml\n": "",
	} {
		spec, _, err := infraspec.Parse("infraspec.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var got []string
		for _, s := range programsOf(spec) {
			one := fmt.Sprintf("%s of %s", s.program, s.key)
			if s.shell {
				one += " (a string)"
			}
			got = append(got, one)
		}
		if all := strings.Join(got, ", "); all != want {
			t.Errorf("%sgot %q, want %q", text, all, want)
		}
	}
}
