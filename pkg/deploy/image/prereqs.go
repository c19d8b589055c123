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
	Version string // as it says itself
}

// BuilderTool returns the builder that a deploy would use: the one called name, or the first that is installed and works. If
// it is installed and does not work, the error quotes what it said last.
func BuilderTool(ctx context.Context, name string) (Tool, error) {
	b, err := FindBuilder(ctx, name)
	if err != nil {
		return Tool{}, err
	}
	args := []string{"version", "--format", "{{.Server.Version}}"} // which takes the engine
	if _, engineless := b.(containersTool); engineless {
		args = []string{"--version"}
	} else if b.Name() == "nerdctl" {
		args = []string{"version", "--format", "{{(index .Server.Components 0).Version}}"}
	}
	return askVersion(ctx, b.Name(), args...)
}

// FindTool asks a program for its version by --version.
func FindTool(ctx context.Context, name string) (Tool, error) {
	if !command.Installed(name) {
		return Tool{}, &pipeline.UsageError{Problem: name + " is not installed", Advice: "install it"}
	}
	return askVersion(ctx, name, "--version")
}

func askVersion(ctx context.Context, name string, args ...string) (Tool, error) {
	var said strings.Builder
	answer, err := command.Output(ctx, "", &said, name, args...)
	if err != nil {
		if words := command.LastLine(said.String()); words != "" {
			err = fmt.Errorf("%w: %s", err, words)
		}
		return Tool{}, err
	}
	return Tool{name, versionNumber.FindString(string(answer))}, nil
}

// versionNumber is the first thing in a program's answer that looks like one.
var versionNumber = regexp.MustCompile(`\bv?\d+(\.\d+)+[-+.\w]*`)

// LoaderName is the program that loads images into a cluster of this kind on this machine.
func LoaderName(kind string) string {
	name, _ := Loader(kind, "", "")
	return name
}

// CheckRegistry returns a *pipeline.UsageError if no cluster could pull from registry.
func CheckRegistry(registry string) error {
	_, err := PushedName(registry, "app", "tag")
	return err
}
