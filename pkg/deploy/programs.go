package deploy

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"norn/pkg/deploy/image"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// started is a program that the infraspec starts in the image.
type started struct {
	program string
	key     string // of the infraspec
	shell   bool   // runs a command that is a string
}

// checkPrograms returns an error if the image that the builder has just built certainly lacks a program that a process
// starts; see programsOf.
func (r *run) checkPrograms(ctx context.Context, out io.Writer, made built) error {
	all := programsOf(r.spec)
	if r.options.VersionOnly || len(all) == 0 {
		return nil
	}
	var names []string
	for _, s := range all {
		names = append(names, s.program)
	}
	missing, err := image.MissingPrograms(ctx, made.builder, made.request, names)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		_, _ = fmt.Fprintf(out, "cannot check that the image has the programs of all commands: %v\n", err)
		return nil
	}
	for _, s := range all {
		if slices.Contains(missing, s.program) {
			return s.missing(r.spec)
		}
	}
	return nil
}

// missing returns the error for an image without the program.
func (s started) missing(spec *infraspec.Spec) error {
	e := &pipeline.UsageError{
		Problem: fmt.Sprintf("the image has no %s, which %s starts", s.program, s.key),
		Advice:  fmt.Sprintf("correct %s, or add the program in %s", s.key, spec.Build.Dockerfile),
	}
	if s.shell {
		e.Problem = fmt.Sprintf("the image has no %s, which runs %s because that is a string", s.program, s.key)
		e.Advice = fmt.Sprintf("write %s as a list, such as [/app, report], or add a shell in %s", s.key,
			spec.Build.Dockerfile)
	}
	return e
}

// programsOf returns the programs to look for. Nobody would miss the program of a schedule before it is time. If there
// is a migration, programsOf returns the programs of all processes, because the migration would run before the rollout
// shows that one is missing. It omits a program if the image alone does not decide: a volume may contain it, or an
// overlay may change the container.
func programsOf(spec *infraspec.Spec) []started {
	if spec.Overlay != "" {
		return nil
	}
	var all []started
	migrates := len(spec.Migrations.Command) > 0
	for _, w := range spec.Workloads() {
		checked := w.Role == infraspec.Cron || migrates && w.Role.Standing()
		if c := w.Command; checked && len(c) > 0 && !mayContain(spec.Volumes, c[0]) {
			all = append(all, started{c[0], w.PathOf("command"), c.InShell()})
		}
	}
	return all
}

// mayContain reports whether one of the volumes may contain a program.
func mayContain(volumes []infraspec.Volume, program string) bool {
	return slices.ContainsFunc(volumes, func(v infraspec.Volume) bool {
		return !path.IsAbs(program) || strings.HasPrefix(path.Clean(program)+"/", path.Clean(v.MountPath)+"/")
	})
}
