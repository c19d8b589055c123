package scaffold

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"norn/internal/regularfile"
	"norn/pkg/infraspec"
)

// Process is a process of the app in addition to the main one.
type Process struct{ Name, Command string }

// procfileLine matches the declaration of a process type (devcenter.heroku.com: The Procfile).
var procfileLine = regexp.MustCompile(`^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*?)\s*$`)

// portVariable matches a reference to the variable PORT, in which a Procfile's platform passes the port.
var portVariable = regexp.MustCompile(`\$(PORT\b|\{PORT\b)`)

// portValue matches a reference to PORT that its value can replace.
var portValue = regexp.MustCompile(`\$PORT\b|\$\{PORT(:?-[^{}]*)?\}`)

// withProcfile adds the processes of a Procfile: web becomes the main process, release the migration, and the others
// processes. Without web, the first of the others is the main process.
func (a *Answers) withProcfile(text string) {
	var others []Process
	for line := range strings.Lines(text) {
		m := procfileLine.FindStringSubmatch(line)
		if m == nil || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		name, command := m[1], m[2]
		switch name {
		case "web":
			a.MainCommand = command
		case "release":
			a.Migration = command
		default:
			if name = appName(name); name == infraspec.MainProcess {
				name += "-process"
			}
			if !slices.ContainsFunc(others, func(p Process) bool { return p.Name == name }) {
				others = append(others, Process{name, command})
			}
		}
	}
	if a.MainCommand == "" && len(others) > 0 {
		a.Role, a.MainCommand, others = string(infraspec.Worker), others[0].Command, others[1:]
	}
	a.Processes = others
}

// readProcfile returns the text of the Procfile in a folder, or "".
func readProcfile(dir string) string {
	text, err := regularfile.Read(filepath.Join(dir, "Procfile"), regularfile.MaxText)
	if err != nil {
		return ""
	}
	return string(text)
}

// mainCommand returns the main process's command as YAML. If the command line needs a shell only for the port, it is a
// list with the port's value.
func (a *Answers) mainCommand() string {
	if a.usesPort() && a.Port > 0 {
		if line := portValue.ReplaceAllString(a.MainCommand, strconv.Itoa(a.Port)); !needsShell(line) {
			return commandYAML(line)
		}
	}
	return commandYAML(a.MainCommand)
}

// usesPort reports whether a command of the app reads the variable PORT.
func (a *Answers) usesPort() bool {
	return a.Role == string(infraspec.Webserver) && portVariable.MatchString(a.MainCommand)
}

// ProcessNames returns the names of the processes.
func (a *Answers) ProcessNames() []string {
	var names []string
	for _, p := range a.Processes {
		names = append(names, p.Name)
	}
	return names
}
