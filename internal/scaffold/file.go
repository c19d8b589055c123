package scaffold

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// Text is the infraspec that the answers make, with what else it could say as comments.
func Text(a Answers) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# yaml-language-server: $schema=%s", SchemaPath)
	line("# What this app is to norn. To check it: norn validate; to see what it makes: norn render")
	line("app: %s", scalar(a.App))
	line("role: %s", scalar(a.Role))
	switch infraspec.Role(a.Role) {
	case infraspec.Webserver:
		line("port: %d", a.Port)
		optional(&b, "healthcheck", a.Healthcheck, "/healthz", "")
		line("\nhosts:")
		optional(&b, "internal", a.Internal, a.App, "  ")
		optional(&b, "external", a.External, a.App+".example.com", "  ")
	case infraspec.Cron:
		line("schedule: %s", scalar(a.Schedule))
		line("command: %s", scalar(a.Command))
		line("# timeout: 10m")
	case infraspec.Function:
		line("# function:\n#   timeout: 30\n#   memory: 256m")
	}
	if a.Dockerfile != "" {
		line("\nbuild:\n  dockerfile: %s", scalar(a.Dockerfile))
	}
	switch {
	case a.FromRemote:
		line("\n# Deploys take the source from here.\nrepo:\n  url: %s", scalar(a.Remote))
	case a.Remote != "":
		line("\n# Deploys take the source from this folder. To take it from the remote instead:\n# repo:\n#   url: %s", scalar(a.Remote))
	}
	line("\n# env:\n#   LOG_LEVEL: info")
	line("\n# Names of values in secrets.enc.yaml; the app gets them as environment variables.\n# secrets:\n#   - API_TOKEN")
	if a.Role != string(infraspec.Cron) {
		line("\n# volumes:\n#   - name: data\n#     mountPath: /data\n#     size: 1Gi")
	}
	return b.String()
}

// optional writes a key, or an example of it as a comment.
func optional(b *strings.Builder, key, value, example, indent string) {
	if value == "" {
		fmt.Fprintf(b, "%s# %s: %s\n", indent, key, example)
		return
	}
	fmt.Fprintf(b, "%s%s: %s\n", indent, key, scalar(value))
}

// scalar is a string as YAML writes it, quoted where it must be.
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

// Problem is the first error of the infraspec that the answers make, or "".
func Problem(a Answers) string {
	_, _, err := infraspec.Parse(infraspec.FileName, []byte(Text(a)))
	var found infraspec.Errors
	if !errors.As(err, &found) {
		return ""
	}
	return found[slices.IndexFunc(found, func(f infraspec.Finding) bool { return f.Severity == infraspec.Error })].Message
}
