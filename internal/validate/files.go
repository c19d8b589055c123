package validate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// referencedFiles checks the files that an infraspec refers to. It skips files that may be in another repository.
func referencedFiles(spec *infraspec.Spec) []infraspec.Finding {
	if spec.App == "" { // the file could not be parsed
		return nil
	}
	return slices.Concat(dockerfile(spec), context(spec), secretsFile(spec))
}

func dockerfile(spec *infraspec.Spec) []infraspec.Finding {
	name := spec.Build.Dockerfile
	dir := filepath.Dir(spec.Path())
	if isFile(filepath.Join(dir, name)) || !spec.Deploy || spec.Repo.URL != "" || filepath.IsAbs(name) || name == "" {
		return nil
	}
	if spec.Has("build.dockerfile") {
		message := fmt.Sprintf("file %q does not exist in the folder of this file", name)
		return []infraspec.Finding{
			spec.Finding("build.dockerfile", infraspec.Error, infraspec.RuleDockerfile, message),
		}
	}
	advice := "set build.dockerfile, or deploy with --image"
	for _, other := range []string{"Containerfile", "dockerfile"} {
		if isFile(filepath.Join(dir, other)) {
			advice = "set build.dockerfile to " + other
		}
	}
	severity := infraspec.Warning
	if withoutSource(dir) {
		severity = infraspec.Note
	}
	message := "no Dockerfile in the folder of this file; " + advice
	return []infraspec.Finding{spec.Finding("build", severity, infraspec.RuleDockerfile, message)}
}

// context checks the folder that the Dockerfile copies from.
func context(spec *infraspec.Spec) []infraspec.Finding {
	folder := spec.Build.Context
	if !spec.Deploy || spec.Repo.URL != "" || filepath.IsAbs(folder) || folder == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(spec.Path()), folder)); err == nil && info.IsDir() {
		return nil
	}
	message := fmt.Sprintf("there is no folder %q beside this file", folder)
	return []infraspec.Finding{spec.Finding("build.context", infraspec.Error, infraspec.RulePath, message)}
}

// withoutSource reports whether the folder dir holds nothing but infraspecs and what belongs to them. Such an app is
// deployed with --image.
func withoutSource(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		name := e.Name()
		infra := strings.HasPrefix(name, "infraspec") && filepath.Ext(name) == ".yaml"
		return !infra && !isSecretsFile(name) && name != secrets.RulesName && name != ".norn"
	})
}

// isFile reports whether path is a regular file, or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// problem returns the text of err with the base name of the file, because the finding already names the folder.
func problem(err error) string {
	var file *secrets.FileError
	if errors.As(err, &file) {
		return fmt.Sprintf("%s: %s; %s", filepath.Base(file.Path), file.Problem, file.Advice)
	}
	return err.Error()
}
