package validate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// referencedFiles checks the files that an infraspec speaks of. Where the source is fetched from elsewhere, they may be there.
func referencedFiles(spec *infraspec.Spec) []infraspec.Finding {
	if spec.App == "" { // nothing could be read
		return nil
	}
	return append(dockerfile(spec), secretsFile(spec)...)
}

func dockerfile(spec *infraspec.Spec) []infraspec.Finding {
	name := spec.Build.Dockerfile
	dir := filepath.Dir(spec.Path())
	if isFile(filepath.Join(dir, name)) || !spec.Deploy || spec.Repo.URL != "" || filepath.IsAbs(name) || name == "" {
		return nil
	}
	if spec.Has("build.dockerfile") {
		return []infraspec.Finding{spec.Finding("build.dockerfile", infraspec.Error, infraspec.RuleDockerfile, fmt.Sprintf("there is no file %q beside this one", name))}
	}
	advice := "name another in build.dockerfile, or deploy with --image"
	for _, other := range []string{"Containerfile", "dockerfile"} {
		if isFile(filepath.Join(dir, other)) {
			advice = "there is a " + other + ": name it in build.dockerfile"
		}
	}
	return []infraspec.Finding{spec.Finding("build", infraspec.Warning, infraspec.RuleDockerfile, "there is no Dockerfile beside this file; "+advice)}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// secretsFile compares the declared names with those in the encrypted file, which needs no key.
func secretsFile(spec *infraspec.Spec) []infraspec.Finding {
	entries, err := secrets.Names(filepath.Join(filepath.Dir(spec.Path()), secrets.FileName))
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && (len(spec.Secrets) == 0 || spec.Repo.URL != ""):
		return nil
	case missing:
		return []infraspec.Finding{spec.Finding("secrets", infraspec.Error, infraspec.RuleSecretsFile,
			fmt.Sprintf("there is no %s beside this file for what secrets names; make it with norn secrets set", secrets.FileName))}
	case err != nil:
		return []infraspec.Finding{spec.Finding("secrets", infraspec.Error, infraspec.RuleSecretsFile, problem(err))}
	}
	var found []infraspec.Finding
	for i, name := range spec.Secrets {
		key := fmt.Sprintf("secrets[%d]", i)
		if infraspec.IsVariable(name) && !slices.ContainsFunc(entries, func(e secrets.Entry) bool { return e.Name == name }) {
			found = append(found, spec.Finding(key, infraspec.Error, infraspec.RuleSecretsFile,
				fmt.Sprintf("%s is not in %s; set it with norn secrets set %[1]s", name, secrets.FileName)))
		}
	}
	for _, e := range entries {
		if !infraspec.IsVariable(e.Name) {
			continue // not repeated: it may be anything
		}
		key, declared := "secrets", slices.Index(spec.Secrets, e.Name)
		if declared >= 0 {
			key = fmt.Sprintf("secrets[%d]", declared)
		}
		switch {
		case e.Shape == secrets.Plain && declared < 0:
			found = append(found, spec.Finding(key, infraspec.Warning, infraspec.RuleSecretsFile,
				fmt.Sprintf("%s stands in %s unencrypted, and is not named here", e.Name, secrets.FileName)))
		case e.Shape == secrets.Plain:
			found = append(found, spec.Finding(key, infraspec.Error, infraspec.RuleSecretsFile,
				fmt.Sprintf("%s stands in %s unencrypted; take it out, set it with norn secrets set, and change it where it is used", e.Name, secrets.FileName)))
		case e.Shape == secrets.Nested && declared >= 0:
			found = append(found, spec.Finding(key, infraspec.Error, infraspec.RuleSecretsFile,
				fmt.Sprintf("%s is a list or a mapping in %s, and a variable holds one string", e.Name, secrets.FileName)))
		case declared < 0 && e.Shape != secrets.Readable:
			found = append(found, spec.Finding(key, infraspec.Warning, infraspec.RuleSecretsFile,
				fmt.Sprintf("%s is in %s and not named here, so the app does not get it", e.Name, secrets.FileName)))
		}
	}
	return found
}

// problem says what is wrong with the file, under its bare name: the finding names the place.
func problem(err error) string {
	var file *secrets.FileError
	if errors.As(err, &file) {
		return fmt.Sprintf("%s: %s; %s", secrets.FileName, file.Problem, file.Advice)
	}
	return err.Error()
}
