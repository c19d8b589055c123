package scaffold

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/internal/regularfile"
	"norn/pkg/infraspec"
)

// Format is the kind of a file that norn init --from reads.
type Format string

// The formats.
const (
	Infraspec Format = "infraspec"
	Fly       Format = "fly.toml"
	Procfile  Format = "Procfile"
	Compose   Format = "compose.yaml"
	Kamal     Format = "deploy.yml"
)

// FormatOf returns the format of a file, by its name and by its keys.
func FormatOf(path string) Format {
	base := filepath.Base(path)
	switch {
	case strings.EqualFold(filepath.Ext(base), ".toml"):
		return Fly
	case base == "Procfile" || strings.HasPrefix(base, "Procfile."):
		return Procfile
	case strings.HasPrefix(base, "infraspec"):
		return Infraspec
	}
	keys := keysOf(path)
	switch {
	case keys["app"] || keys["role"]:
	case composeName.MatchString(base) || keys["services"]:
		return Compose
	case kamalName.MatchString(base) || keys["service"] && (keys["servers"] || keys["image"]):
		return Kamal
	}
	return Infraspec
}

var (
	composeName = regexp.MustCompile(`^(docker-)?compose(\..+)?\.ya?ml$`)
	kamalName   = regexp.MustCompile(`^deploy(\..+)?\.ya?ml$`)
)

// keysOf returns the keys of a YAML file, or nil if it is not YAML.
func keysOf(path string) map[string]bool {
	data, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return nil
	}
	keys := map[string]bool{}
	for k := range pairs(doc.Content[0]) {
		keys[k.Value] = true
	}
	return keys
}

// Convert returns the infraspec that the file of another tool becomes, and what could not be carried over, each with
// its place. Errors are *SourceError.
func Convert(ctx context.Context, path string, format Format) (text string, notes []string, err error) {
	data, err := readSource(path)
	if err != nil {
		return "", nil, err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", nil, &SourceError{path, "cannot find its folder"}
	}
	folder := filepath.Dir(absolute)
	switch format {
	case Fly:
		return fromFly(path, folder, data)
	case Compose:
		return fromCompose(path, folder, data)
	case Kamal:
		return fromKamal(path, folder, data)
	default:
		return fromProcfile(ctx, path, folder, data)
	}
}

// fromProcfile converts a Procfile, with what norn init finds in its folder.
func fromProcfile(ctx context.Context, file, folder string, data []byte) (string, []string, error) {
	s := &sourceFile{file: file}
	a := Detect(ctx, folder)
	a.Role, a.MainCommand, a.Migration, a.Processes = string(infraspec.Webserver), "", "", nil
	clean, number, seen := "", 0, map[string]bool{}
	for line := range strings.Lines(string(data)) {
		number++
		here := &yaml.Node{Line: number}
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		case !procfileLine.MatchString(line):
			s.note(here, "", "not a line of the form NAME: COMMAND")
		case infraspec.LooksSecret("", line):
			s.note(here, "", "the command contains a secret, and is left out; read the secret from the environment")
		default:
			name := procfileLine.FindStringSubmatch(line)[1]
			if seen[appName(name)] {
				s.note(here, name, "an earlier line has the same name in norn, and only one counts")
			}
			seen[appName(name)] = true
			clean += line
		}
	}
	if clean == "" {
		return "", nil, s.errorf(0, "no line has the form NAME: COMMAND")
	}
	a.withProcfile(clean)
	if a.MainCommand == "" {
		return "", nil, s.errorf(0, "only a release process; the file names no process that runs")
	}
	if a.Role == string(infraspec.Webserver) && a.Port == 0 {
		a.Port = defaultPort
		s.note(nil, "web", "no Dockerfile exposes a port, so port is %d; set the port on which the app listens", a.Port)
	}
	if serviceOK(a.App) && a.Role == string(infraspec.Webserver) {
		a.Internal = a.App
	}
	if problem := Problem(a); problem != "" {
		return "", nil, s.errorf(0, "its settings do not make a valid infraspec: %s", problem)
	}
	return Text(a), s.texts(), nil
}

// serviceOK reports whether an app's name can be a Service's.
func serviceOK(app string) bool { return app != "" && (app[0] < '0' || app[0] > '9') }
