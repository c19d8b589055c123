package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"norn/pkg/infraspec"
)

// BindProcess adds the flag --process.
func BindProcess(flags *pflag.FlagSet, process *string, usage string) {
	flags.StringVar(process, "process", "", usage)
}

// CheckProcess returns a process of an app by its name in a flag: "" for the main one. It returns an error if neither
// the cluster nor the infraspec, which may be nil, has a process of that name.
func (s *Session) CheckProcess(ctx context.Context, app, process string, spec *infraspec.Spec) (string, error) {
	if process == "" || process == infraspec.MainProcess {
		return "", nil
	}
	names, err := s.Client.ProcessNames(ctx, s.Conf.Namespace, app)
	if err != nil {
		return "", err
	}
	if spec != nil && spec.App == app {
		names = append(names, spec.ProcessNames()[1:]...)
	}
	slices.Sort(names)
	if !slices.Contains(names, process) {
		all := append([]string{infraspec.MainProcess}, slices.Compact(names)...)
		return "", Usagef("%s has no process %q; its processes are %s", app, process, strings.Join(all, ", "))
	}
	return process, nil
}
