package complete

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"norn/internal/command"
	"norn/pkg/deploy/database"
	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// Apps returns the names of the apps in appsDir.
func Apps(appsDir string) []Value {
	paths, _ := infraspec.List(appsDir)
	values := make([]Value, 0, len(paths))
	for _, path := range paths {
		if name := infraspec.NameIn(appsDir, path); infraspec.ValidName(name) {
			values = append(values, Value{Text: name})
		}
	}
	return values
}

// Functions returns the folders in appsDir that hold the infraspec of a function app.
func Functions(appsDir string) []Value {
	return slices.DeleteFunc(Apps(appsDir), func(v Value) bool {
		path, err := infraspec.Locate(v.Text, appsDir, appsDir)
		if err != nil {
			return true
		}
		spec, _ := infraspec.Inspect(path)
		return spec.Role != infraspec.Function
	})
}

// ProcessesOf returns the processes of an infraspec, the main one first, with their roles.
func ProcessesOf(infraspecPath string) []Value {
	spec, _ := infraspec.Inspect(infraspecPath)
	var values []Value
	for _, w := range spec.Workloads() {
		values = append(values, Value{w.ProcessName(), string(w.Role)})
	}
	return values
}

// Environments returns the environments of an infraspec, with their namespaces. A pattern for previews ends with a
// slash.
func Environments(infraspecPath string) []Value {
	spec, _ := infraspec.Inspect(infraspecPath)
	var values []Value
	for _, name := range spec.EnvironmentNames() {
		about := ""
		if ns := spec.Environments[name].Namespace; ns != "" {
			about = "namespace " + ns
		}
		if spec.Environments[name].HasPreviews() {
			name += "/"
		}
		values = append(values, Value{name, about})
	}
	return values
}

// maxRefs limits the number of refs, because nobody scrolls through more.
const maxRefs = "200"

// Refs returns the branches and tags that norn deploy can ship, newest first: the refs of the checkout or, if the
// infraspec names a repository, the refs last fetched from it.
func Refs(ctx context.Context, infraspecPath string) []Value {
	spec, _ := infraspec.Inspect(infraspecPath)
	branches := "refs/heads"
	if spec.Repo.URL != "" {
		branches = "refs/remotes/origin"
	}
	out, err := command.GitOutput(ctx, filepath.Dir(infraspecPath), "for-each-ref",
		"--sort=-creatordate", "--count="+maxRefs,
		"--format=%(refname)%09%(creatordate:relative)%09%(subject)", branches, "refs/tags")
	if err != nil {
		return nil
	}
	var values []Value
	for line := range strings.Lines(out) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(fields) < 3 {
			continue
		}
		name := fields[0]
		for _, kind := range []string{branches + "/", "refs/tags/"} {
			name = strings.TrimPrefix(name, kind)
		}
		if name != "HEAD" {
			values = append(values, Value{name, fields[1] + ": " + fields[2]})
		}
	}
	return values
}

// SecretNames returns the names in the encrypted files beside the infraspec, for an environment, and the names that the
// infraspec declares. With onlyInFile, it returns the names in the file that commands write.
func SecretNames(infraspecPath, environment string, onlyInFile bool) []Value {
	place := secrets.Place{Dir: filepath.Dir(infraspecPath), Environment: environment}
	if onlyInFile {
		entries, _ := secrets.Names(place.Own())
		return inFiles(entries)
	}
	entries, _ := place.Entries()
	values := inFiles(entries)
	spec, _ := infraspec.Inspect(infraspecPath)
	if in, err := spec.In(environment); err == nil {
		spec = in
	}
	for _, name := range spec.Secrets {
		values = append(values, Value{name, "declared, not set yet"})
	}
	return values
}

func inFiles(entries []secrets.Entry) []Value {
	var values []Value
	for _, e := range entries {
		values = append(values, Value{e.Name, "in " + e.File})
	}
	return values
}

// Snapshots returns the dumps beside an infraspec, newest first.
func Snapshots(infraspecPath string) []Value {
	spec, _, err := infraspec.Load(infraspecPath)
	if err != nil {
		return nil
	}
	all, _ := database.List(spec)
	values := make([]Value, 0, len(all))
	for _, s := range all {
		values = append(values, Value{s.Name(), "database " + s.Database + ", " + ago(s.Time)})
	}
	return values
}

func ago(t time.Time) string { return duration.HumanDuration(time.Since(t)) + " ago" }
