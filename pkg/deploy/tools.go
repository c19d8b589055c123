package deploy

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"norn/internal/command"
	"norn/pkg/infraspec"
)

// Tool is a program that a deploy uses.
type Tool struct {
	Name    string
	Version string // as it says itself
}

// FindBuilder is the builder that a deploy would use: the one called name, or the first that is installed and works. One that is installed
// and does not work is an error that has its own last words.
func FindBuilder(ctx context.Context, name string) (Tool, error) {
	b, err := findBuilder(ctx, name)
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
		return Tool{}, &UsageError{name + " is not installed", "install it"}
	}
	return askVersion(ctx, name, "--version")
}

func askVersion(ctx context.Context, name string, args ...string) (Tool, error) {
	var said strings.Builder
	answer, err := command.Answer(ctx, "", &said, name, args...)
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

// Dumps reports whether a deploy of spec dumps a database before its migration.
func Dumps(spec *infraspec.Spec) bool {
	return len(spec.Migrations.Command) > 0 && spec.Migrations.Database != ""
}

// LoadCommand is the program that loads images into a cluster of this kind on this machine.
func LoadCommand(kind string) string {
	name, _ := loader(kind, "", "")
	return name
}

// CheckRegistry returns a *UsageError for what is no registry that a cluster could pull from.
func CheckRegistry(registry string) error {
	_, err := pushed(registry, "app", "tag")
	return err
}

// Checkout is the version that a deploy of the checkout around dir would ship, as images are tagged with it.
func Checkout(ctx context.Context, dir string) (string, error) {
	s, err := look(ctx, dir, "")
	if err != nil {
		return "", err
	}
	return s.tag(), nil
}
