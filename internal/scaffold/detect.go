// Package scaffold writes a new app's infraspec from the contents of its folder and the user's answers.
package scaffold

import (
	"bufio"
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"norn/internal/command"
	"norn/internal/regularfile"
	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
)

// Answers holds the values of a new infraspec. Text omits zero values.
type Answers struct {
	App, Role         string
	Port              int
	Healthcheck       string
	Internal          string // hosts.internal
	External          string // hosts.external
	Schedule, Command string
	Dockerfile        string // "" for a file named Dockerfile
	Remote            string // the git remote
	FromRemote        bool   // deploy from the remote instead of the folder
	// Those of a Procfile.
	MainCommand, Migration string
	Processes              []Process
}

// Detect reads an app's name, Dockerfile, exposed port and git remote from its folder.
func Detect(ctx context.Context, dir string) Answers {
	a := Answers{App: appName(filepath.Base(dir)), Role: string(infraspec.Webserver), Remote: remote(ctx, dir)}
	for _, name := range []string{"Dockerfile", "Containerfile"} {
		port, err := exposed(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		a.Port = port
		if name != "Dockerfile" {
			a.Dockerfile = name
		}
		break
	}
	a.withProcfile(readProcfile(dir))
	return a
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// appName converts the name of a folder to a DNS label.
func appName(folder string) string {
	name := notInName.ReplaceAllString(strings.ToLower(folder), "-")
	name = strings.Trim(name[:min(len(name), 50)], "-") // a cron app's name has at most 52 characters
	if name == "" {
		return "app"
	}
	return name
}

var (
	exposeLine = regexp.MustCompile(`(?i)^\s*EXPOSE\s+(\d+)(/tcp)?(\s|$)`)
	fromLine   = regexp.MustCompile(`(?i)^\s*FROM\s`)
)

// exposed returns the first port that a Dockerfile's last stage exposes, or 0 (docs.docker.com: Dockerfile reference,
// EXPOSE).
func exposed(path string) (int, error) {
	text, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		return 0, err
	}
	port := 0
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if fromLine.Match(lines.Bytes()) {
			port = 0
		}
		if m := exposeLine.FindStringSubmatch(lines.Text()); m != nil && port == 0 {
			if n, err := strconv.Atoi(m[1]); err == nil && n >= 1 && n <= 65535 {
				port = n
			}
		}
	}
	return port, lines.Err()
}

// remote returns the address of the git remote origin without credentials, or "".
func remote(ctx context.Context, dir string) string {
	out, err := command.GitOutput(ctx, dir, "config", "--get", "remote.origin.url")
	if err != nil {
		return ""
	}
	return source.WithoutCredentials(strings.TrimSpace(out))
}
