package scaffold

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"norn/pkg/infraspec"
)

// A Procfile becomes an infraspec: web is the main process, release the migration, and the others are processes.
func TestProcfile(t *testing.T) {
	for name, c := range map[string]struct {
		text            string
		role            infraspec.Role
		command, before string            // of the main process, and of the migration
		processes       map[string]string // commands
		port            string            // env.PORT
	}{
		"all": {
			"web: bundle exec puma -p $PORT\nrelease: rake db:migrate\nworker: sidekiq\nclock: clockwork clock.rb\n",
			infraspec.Webserver, "bundle exec puma -p 8080", "rake db:migrate",
			map[string]string{"worker": "sidekiq", "clock": "clockwork clock.rb"}, "8080",
		},
		"web alone": {"web: ./shop # serve: all\n", infraspec.Webserver, "./shop # serve: all", "", nil, ""},
		"no web": {
			"# comment: no process\nBig_Worker: work\nother: o\n", infraspec.Worker, "work", "",
			map[string]string{"other": "o"}, "",
		},
		"reserved name": {"web: w\nmain: m\n", infraspec.Webserver, "w", "", map[string]string{"main-process": "m"}, ""},
		"names that become the same": {
			"web: w\na_b: 1\na-b: 2\n", infraspec.Webserver, "w", "", map[string]string{"a-b": "1"}, "",
		},
		"port in braces": {
			"web: gunicorn --bind :${PORT:-80}\n", infraspec.Webserver, "gunicorn --bind :8080", "", nil, "8080",
		},
		"port and shell syntax": {
			"web: ./shop -p $PORT -x $X\n", infraspec.Webserver, "./shop -p $PORT -x $X", "", nil, "8080",
		},
		"port of another process": {
			"web: ./shop\nadmin: ./admin -p $PORT\n", infraspec.Webserver, "./shop", "",
			map[string]string{"admin": "./admin -p $PORT"}, "",
		},
		"windows line ends": {"web: w\r\nworker: x\r\n", infraspec.Webserver, "w", "", map[string]string{"worker": "x"}, ""},
		"not a Procfile":    {"{}\n\n: x\nweb\n", infraspec.Webserver, "", "", nil, ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "Procfile"), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		a := Detect(t.Context(), dir)
		a.App, a.Port = "shop", 8080
		spec, found, err := infraspec.Parse("f", []byte(Text(a)))
		if err != nil {
			t.Errorf("%s: %v:\n%s", name, err, Text(a))
			continue
		}
		for _, f := range found {
			if f.Rule != infraspec.RuleDatabase { // only the user knows which database to dump
				t.Errorf("%s: %s", name, f)
			}
		}
		processes := map[string]string{}
		for p, process := range spec.Processes {
			processes[p] = shell(process.Command)
		}
		want := map[string]string{}
		for p, command := range c.processes {
			want[p] = command
		}
		if spec.Role != c.role || shell(spec.Command) != c.command || shell(spec.Migrations.Command) != c.before ||
			!reflect.DeepEqual(processes, want) || spec.Env["PORT"] != c.port {
			t.Errorf("%s: got %+v", name, spec)
		}
	}
}

// shell returns the command line, without the shell that runs it.
func shell(c infraspec.Command) string {
	if len(c) == 3 && c[0] == "/bin/sh" {
		return c[2]
	}
	return strings.Join(c, " ")
}

// A line that reads the port and nothing else of a shell becomes a list, because an image FROM scratch has no shell.
func TestPortInPlace(t *testing.T) {
	for line, want := range map[string]string{
		"/shop -p $PORT":            `[/shop, -p, "8080"]`,
		"/shop --listen=:${PORT}":   "[/shop, '--listen=:8080']",
		"/shop -p ${PORT:-5000}":    `[/shop, -p, "8080"]`,
		"/shop -p $PORT -h $HOST":   "/shop -p $PORT -h $HOST",
		"/shop -p ${PORT:?no port}": "/shop -p ${PORT:?no port}",
		"exec /shop -p $PORT":       "exec /shop -p $PORT",
	} {
		a := Answers{Role: string(infraspec.Webserver), Port: 8080, MainCommand: line}
		if got := a.mainCommand(); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}

// A command that needs no shell is a list, because an image may have none.
func TestCommand(t *testing.T) {
	for line, want := range map[string]string{
		"/shop work":                "[/shop, work]",
		"bundle exec puma -t 1,5":   "[bundle, exec, puma, -t, '1,5']",
		"celery -A shop -Q a=b":     "[celery, -A, shop, -Q, a=b]",
		"puma -p $PORT":             "puma -p $PORT",
		"RAILS_ENV=production rake": "RAILS_ENV=production rake",
		"exec ./shop":               "exec ./shop",
		"./shop && ./mail":          "./shop && ./mail",
		"./shop 'a b'":              "./shop 'a b'",
		"\v":                        `"\v"`,
	} {
		if got := commandYAML(line); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}
