package scaffold

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// Text returns the infraspec for the answers, with examples of other keys as comments.
func Text(a Answers) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# yaml-language-server: $schema=%s", SchemaPath)
	line("# Settings of this app for norn. Check: norn validate. Show the Kubernetes objects: norn render.")
	line("app: %s", scalar(a.App))
	line("role: %s", scalar(a.Role))
	switch infraspec.Role(a.Role) {
	case infraspec.Webserver:
		line("port: %d", a.Port)
		optional(&b, "healthcheck", a.Healthcheck, "/healthz", "")
		mainCommand(&b, a)
		line("\nhosts:")
		optional(&b, "internal", a.Internal, a.App, "  ")
		optional(&b, "external", a.External, a.App+".example.com", "  ")
	case infraspec.Cron:
		line("schedule: %s", scalar(a.Schedule))
		line("command: %s", scalar(a.Command))
		line("# timeout: 10m")
	case infraspec.Worker:
		mainCommand(&b, a)
	case infraspec.Function:
		line("# function:\n#   timeout: 30\n#   memory: 256m")
	}
	if a.Dockerfile != "" {
		line("\nbuild:\n  dockerfile: %s", scalar(a.Dockerfile))
	}
	switch {
	case a.FromRemote:
		line("\n# norn deploy builds from this repository.\nrepo:\n  url: %s", scalar(a.Remote))
	case a.Remote != "":
		line("\n# norn deploy builds from this folder. To build from the remote instead:\n# repo:\n#   url: %s",
			scalar(a.Remote))
	}
	processes(&b, a)
	if a.usesPort() {
		line("\nenv:\n  PORT: %d", a.Port)
	} else {
		line("\n# env:\n#   LOG_LEVEL: info")
	}
	line("\n# Names in secrets.enc.yaml. The app gets the values as environment variables.\n# secrets:\n#   - API_TOKEN")
	if a.Role != string(infraspec.Cron) {
		line("\n# With a volume, each deploy stops the app before it starts the new version, unless Pods on all nodes" +
			"\n# can mount it (access: ReadWriteMany, and a class that supports it)." +
			"\n# volumes:\n#   - name: data\n#     mountPath: /data\n#     size: 1Gi")
	}
	return b.String()
}

// mainCommand writes the command of the main process in a Procfile.
func mainCommand(b *strings.Builder, a Answers) {
	if a.MainCommand != "" {
		fmt.Fprintf(b, "command: %s\n", a.mainCommand())
	}
}

// processes writes the other processes and the migration of a Procfile.
func processes(b *strings.Builder, a Answers) {
	if a.Role == string(infraspec.Function) { // has no other processes
		return
	}
	if len(a.Processes) > 0 {
		b.WriteString("\n# Processes of the same image. To run one on a schedule, add role: cron" +
			"\n# and schedule: \"0 3 * * *\".\nprocesses:\n")
	}
	for _, p := range a.Processes {
		fmt.Fprintf(b, "  %s:\n    command: %s\n", scalar(p.Name), commandYAML(p.Command))
	}
	if a.Migration != "" {
		fmt.Fprintf(b, "\nmigrations:\n  command: %s\n  # database: %s  # norn dumps it before the migration\n",
			commandYAML(a.Migration), a.App)
	}
}

// optional writes a key, or an example as a comment if value is "".
func optional(b *strings.Builder, key, value, example, indent string) {
	if value == "" {
		fmt.Fprintf(b, "%s# %s: %s\n", indent, key, example)
		return
	}
	fmt.Fprintf(b, "%s%s: %s\n", indent, key, scalar(value))
}

// commandYAML returns a command line of a Procfile as YAML: a list if it needs no shell, because an image may have
// none.
func commandYAML(line string) string {
	if needsShell(line) {
		return scalar(line)
	}
	text, err := yaml.Marshal(commandNode(line))
	if err != nil {
		return scalar(line)
	}
	return strings.TrimSpace(string(text))
}

// commandNode returns a command line as a list if it needs no shell, or as text.
func commandNode(line string) *yaml.Node {
	if needsShell(line) {
		return textNode(line)
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, word := range strings.Fields(line) {
		list.Content = append(list.Content, scalarNode(word))
	}
	return list
}

// needsShell reports whether a command line means something else without a shell.
func needsShell(line string) bool {
	words := strings.Fields(line)
	return len(words) == 0 || strings.ContainsAny(line, shellSyntax) || strings.Contains(words[0], "=") ||
		slices.Contains(builtins, words[0])
}

// shellSyntax has the characters that mean something to a shell (POSIX: Shell Command Language, 2.2 and 2.6).
const shellSyntax = "|&;<>()$`\\\"'*?[]#~{}!"

// builtins are commands that a shell runs itself, without a program of that name.
var builtins = []string{
	".", ":", "case", "cd", "eval", "exec", "export", "for", "if", "set", "source", "time", "trap", "ulimit", "umask",
	"unset", "until", "wait", "while",
}

// scalar returns text as a YAML scalar, quoted if necessary.
func scalar(text string) string {
	node := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsAny(text, "\n\r") {
		node.Style = yaml.DoubleQuotedStyle
	}
	out, err := yaml.Marshal(&node)
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return strings.TrimSpace(string(out))
}

// Problem returns the first error in the infraspec for the answers, or "".
func Problem(a Answers) string {
	_, _, err := infraspec.Parse(infraspec.FileName, []byte(Text(a)))
	var found infraspec.Errors
	if !errors.As(err, &found) {
		return ""
	}
	first := slices.IndexFunc(found, func(f infraspec.Finding) bool { return f.Severity == infraspec.Error })
	return found[first].Message
}
