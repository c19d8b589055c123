package cli

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"net"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"norn/internal/job"
	"norn/internal/ui"
	"norn/pkg/deploy"
	"norn/pkg/deploy/database"
	"norn/pkg/deploy/rollout"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/lease"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
	"norn/test/bed"
)

// withoutOutcome maps the error types without an outcome of their own to the reason.
var withoutOutcome = map[string]string{
	"internal/cli.NeedsKubernetesError": "wraps connect.UnavailableError",
	"internal/cli.renamedError":         "wraps the error that it renames",
	"internal/cli/env.PinError":         "wraps the reason",
	"internal/cli/deploy.refAloneError": "wraps infraspec.NotFoundError",
	"internal/logs.writeError":          "wraps an error of the output",
	"internal/registry.Error":           "norn doctor prints it as the result of a check",
	"internal/ui.redactedError":         "wraps the error that it redacts",
	"pkg/deploy/rollout.ContinuesError": "wraps the error that ended the watch",
	"pkg/deploy/database.programError":  "adds what a PostgreSQL program said",
	"pkg/deploy/source.cloneError":      "adds a hint to git's error, which has no type",
	"pkg/forge.conflictErrors":          "wraps objects.ConflictError",
	"pkg/forge.renewedError":            "becomes the result of a step of norn preview prune",
	"pkg/secrets.refusedError":          "becomes a secrets.FileError",
	"pkg/k8s.AnswerError":               "becomes a connect.UnavailableError",
}

// Every error type of norn has an outcome, or a reason in withoutOutcome.
func TestEveryErrorTypeHasAnOutcome(t *testing.T) {
	known := maps.Clone(withoutOutcome)
	for _, o := range append(results(), failures()...) {
		typ := o.errorType
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		name := strings.TrimPrefix(typ.PkgPath(), "norn/") + "." + typ.Name()
		if _, both := withoutOutcome[name]; both {
			t.Errorf("%s has an outcome, and withoutOutcome lists it too", name)
		}
		known[name] = "has an outcome"
	}
	declared := errorTypes(t)
	if len(declared) < 30 {
		t.Fatalf("found only %d error types: %q", len(declared), declared)
	}
	for _, name := range declared {
		if known[name] == "" {
			t.Errorf("%s has no outcome: add it to exit.go, or to withoutOutcome with the reason", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s is listed, and there is no such error type", name)
	}
}

// errorTypes returns the types below pkg and internal that have a method Error() string, such as
// "pkg/forge.QuotaError".
func errorTypes(t *testing.T) []string {
	t.Helper()
	var found []string
	root := bed.Root(t)
	for _, dir := range []string{"pkg", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			pkg, err := filepath.Rel(root, filepath.Dir(path))
			for _, decl := range file.Decls {
				if name := errorReceiver(decl); name != "" {
					found = append(found, filepath.ToSlash(pkg)+"."+name)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// errorReceiver returns the receiver type if decl is a method Error() string, or "".
func errorReceiver(decl ast.Decl) string {
	method, ok := decl.(*ast.FuncDecl)
	if !ok || method.Recv == nil || method.Name.Name != "Error" {
		return ""
	}
	if method.Type.Params.NumFields() != 0 || method.Type.Results.NumFields() != 1 {
		return ""
	}
	if result, ok := method.Type.Results.List[0].Type.(*ast.Ident); !ok || result.Name != "string" {
		return ""
	}
	receiver := method.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// An error's type determines the outcome. A signal matters only to commands that did not complete.
func TestOutcome(t *testing.T) {
	live, interrupted := t.Context(), canceled(t)
	crashed := &rollout.Error{Evidence: rollout.Failure{Reason: k8srollout.CrashLoop}}
	unverified := &rollout.VerifyError{Evidence: rollout.Failure{Reason: k8srollout.VerifyFailed}}
	usage := &pipeline.UsageError{Problem: "x"}
	for name, c := range map[string]struct {
		ctx    context.Context
		err    error
		code   int
		name   string
		reason string
	}{
		"success":                  {live, nil, 0, "done", ""},
		"reader gone":              {live, fmt.Errorf("write: %w", syscall.EPIPE), 0, "done", ""},
		"connection broken":        {live, &net.OpError{Op: "write", Err: syscall.EPIPE}, 1, "failed", ""},
		"failed rollout":           {live, crashed, 4, "rollout-failed", "CrashLoop"},
		"failed, then interrupted": {interrupted, crashed, 4, "rollout-failed", "CrashLoop"},
		"failed verify":            {live, errors.Join(unverified, errors.New("x")), 4, "rollout-failed", "VerifyFailed"},
		"program":                  {live, &job.ExitError{Code: 7}, 7, "exited", "ProgramFailed"},
		"program with norn's code": {live, &job.ExitError{Code: 4}, 4, "exited", "ProgramFailed"},
		"differences":              {live, &DiffersError{Objects: 1}, 1, "differs", "Differs"},
		"problems":                 {interrupted, &ProblemsFoundError{1, 0}, 1, "failed", "ProblemsFound"},
		"interrupted":              {interrupted, usage, 130, "interrupted", "Interrupted"},
		"wrapped":                  {live, fmt.Errorf("x: %w", usage), 2, "usage", "Usage"},
		"migration":                {live, &deploy.MigrationError{}, 1, "failed", "MigrationFailed"},
		"lock lost in a build": {
			live, errors.Join(&lease.HeldError{}, &pipeline.ToolError{Err: errors.New("x")}), 5, "conflict", "Locked",
		},
		"dump":                 {live, &database.SnapshotError{Err: errors.New("x")}, 1, "failed", "SnapshotFailed"},
		"dump, wrong settings": {live, &database.SnapshotError{Err: usage}, 2, "usage", "SnapshotFailed"},
		"missing and invalid": {
			live, errors.Join(&infraspec.NotFoundError{}, &InvalidError{}), 2, "usage", "InvalidInfraspec",
		},
		"not permitted": {live, &k8s.DeniedError{}, 1, "failed", "Forbidden"},
		"declined":      {live, &DeclinedError{}, 1, "failed", ""},
		"no type":       {live, errors.New("x"), 1, "failed", ""},
	} {
		want := ui.Outcome{Err: c.err, Code: c.code, Name: c.name, Reason: c.reason}
		if got := Outcome(c.ctx, c.err); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// Every code in the table is a documented exit code.
func TestOutcomesUseKnownCodes(t *testing.T) {
	for _, o := range append(results(), failures()...) {
		if !slices.ContainsFunc(Exits(), func(e Exit) bool { return e.Code == o.code }) {
			t.Errorf("%v ends with %d", o.errorType, o.code)
		}
	}
}

func canceled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
