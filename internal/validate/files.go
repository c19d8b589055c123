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
		return !infra && name != secrets.FileName && name != secrets.RulesName && name != ".norn"
	})
}

// isFile reports whether path is a regular file, or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// secretsFile compares the names under secrets with the names in the encrypted file. It needs no key.
func secretsFile(spec *infraspec.Spec) []infraspec.Finding {
	finding := func(key string, severity infraspec.Severity, format string, args ...any) infraspec.Finding {
		return spec.Finding(key, severity, infraspec.RuleSecretsFile, fmt.Sprintf(format, args...))
	}
	path := filepath.Join(filepath.Dir(spec.Path()), secrets.FileName)
	entries, err := secrets.Names(path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && (len(spec.Secrets) == 0 || spec.Repo.URL != ""):
		return nil
	case missing:
		return []infraspec.Finding{finding("secrets", infraspec.Error,
			"no %s for these names in the folder of this file; %s", secrets.FileName, secrets.CreateAdvice(path))}
	case err != nil:
		return []infraspec.Finding{finding("secrets", infraspec.Error, "%s", problem(err))}
	}
	found := tooLarge(spec, entries, finding)
	for i, name := range spec.Secrets {
		known := slices.ContainsFunc(entries, func(e secrets.Entry) bool { return e.Name == name })
		if infraspec.IsVariable(name) && !known {
			found = append(found, finding(fmt.Sprintf("secrets[%d]", i), infraspec.Error,
				"%s is not in %s; set it with norn secrets set %[1]s", name, secrets.FileName))
		}
	}
	others := declaredBeside(spec)
	for _, e := range entries {
		if !infraspec.IsVariable(e.Name) || others[e.Name] {
			continue // not quoted, because it may be anything; or another app in this folder uses it
		}
		key, declared := "secrets", slices.Index(spec.Secrets, e.Name)
		if declared >= 0 {
			key = fmt.Sprintf("secrets[%d]", declared)
		}
		switch {
		case e.Shape == secrets.Plain && declared < 0:
			found = append(found, finding(key, infraspec.Warning,
				"%s is not encrypted in %s, and not listed here", e.Name, secrets.FileName))
		case e.Shape == secrets.Plain:
			found = append(found, finding(key, infraspec.Error,
				"%s is not encrypted in %s; remove it there, set it with norn secrets set, and replace the secret",
				e.Name, secrets.FileName))
		case e.Shape == secrets.Nested && declared >= 0:
			found = append(found, finding(key, infraspec.Error,
				"%s is a list or a mapping in %s, which cannot be an environment variable", e.Name, secrets.FileName))
		case declared < 0 && e.Shape != secrets.Readable:
			found = append(found, finding(key, infraspec.Warning,
				"%s is in %s but not listed here, so the app does not get it", e.Name, secrets.FileName))
		}
	}
	return found
}

// declaredBeside returns the secrets that only other infraspecs in the folder declare, such as infraspec.worker.yaml.
// They share the encrypted file.
func declaredBeside(spec *infraspec.Spec) map[string]bool {
	names := map[string]bool{}
	paths, _ := filepath.Glob(filepath.Join(filepath.Dir(spec.Path()), "infraspec*.yaml")) // the pattern is valid
	for _, path := range paths {
		if filepath.Base(path) == filepath.Base(spec.Path()) {
			continue
		}
		other, _ := infraspec.Inspect(path)
		for _, name := range other.Secrets {
			names[name] = !slices.Contains(spec.Secrets, name)
		}
	}
	return names
}

// problem returns the text of err with the base name of the file, because the finding already names the folder.
func problem(err error) string {
	var file *secrets.FileError
	if errors.As(err, &file) {
		return fmt.Sprintf("%s: %s; %s", filepath.Base(file.Path), file.Problem, file.Advice)
	}
	return err.Error()
}
