package image

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"norn/internal/command"
	"norn/pkg/pipeline"
)

// Tool is a program that a deploy uses.
type Tool struct {
	Name    string
	Version string // as the program reports it
}

// BuilderTool returns the builder that a deploy would use; see FindBuilder. If the builder is installed but does not
// work, the error quotes the last line of its output.
func BuilderTool(ctx context.Context, name string) (Tool, error) {
	b, err := FindBuilder(ctx, name)
	if err != nil {
		return Tool{}, err
	}
	args := []string{"version", "--format", "{{.Server.Version}}"} // fails unless the engine runs
	if _, ok := b.(containersTool); ok {                           // has no engine
		args = []string{"--version"}
	} else if b.Name() == "nerdctl" {
		args = []string{"version", "--format", "{{(index .Server.Components 0).Version}}"}
	}
	return askVersion(ctx, b.Name(), args...)
}

// FindTool runs a program with --version.
func FindTool(ctx context.Context, name string) (Tool, error) {
	if !command.Installed(name) {
		return Tool{}, &pipeline.UsageError{Problem: name + " is not installed", Advice: "install it"}
	}
	return askVersion(ctx, name, "--version")
}

func askVersion(ctx context.Context, name string, args ...string) (Tool, error) {
	var stderr strings.Builder
	stdout, err := command.Output(ctx, "", &stderr, name, args...)
	if err != nil {
		if line := command.LastLine(stderr.String()); line != "" {
			err = fmt.Errorf("%w: %s", err, line)
		}
		return Tool{Name: name}, err
	}
	return Tool{name, versionNumber.FindString(string(stdout))}, nil
}

// versionNumber matches the version in the output of --version.
var versionNumber = regexp.MustCompile(`\bv?\d+(\.\d+)+[-+.\w]*`)

// LoaderName returns the program that loads images into a local cluster of this kind.
func LoaderName(kind string) string {
	name, _ := Loader(kind, "", "")
	return name
}

// CheckRegistry returns a *pipeline.UsageError if a cluster could not pull from registry.
func CheckRegistry(registry string) error {
	_, err := PushedName(registry, "app", "tag")
	return err
}
