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

// isSecretsFile reports whether name is that of an encrypted file: the common one, or that of an environment.
func isSecretsFile(name string) bool {
	_, ofEnvironment := secrets.EnvironmentOf(name)
	return name == secrets.FileName || ofEnvironment
}

// secretFiles compares the names under secrets with the names in the encrypted files. It needs no key.
type secretFiles struct {
	spec  *infraspec.Spec
	place secrets.Place
	found []infraspec.Finding
}

// secretsFile returns the findings about the encrypted files of an infraspec, or of one of its environments.
func secretsFile(spec *infraspec.Spec) []infraspec.Finding {
	c := &secretFiles{spec: spec, place: secrets.Place{Dir: filepath.Dir(spec.Path()), Environment: spec.Environment}}
	c.unused()
	needless := len(spec.Secrets) == 0 || spec.Repo.URL != "" || c.inEnvironmentsOnly()
	if needless && c.place.Empty() {
		return c.found
	}
	entries, err := c.place.Entries()
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && needless:
		return c.found
	case missing && spec.Environment != "":
		c.add("secrets", infraspec.Error, "neither %s nor %s is in the folder of this file; %s", secrets.FileName,
			filepath.Base(c.place.Own()), c.place.CreateAdvice())
		return c.found
	case missing:
		c.add("secrets", infraspec.Error, "no %s for these names in the folder of this file; %s", secrets.FileName,
			c.place.CreateAdvice())
		return c.found
	case err != nil:
		c.add("secrets", infraspec.Error, "%s", problem(err))
		return c.found
	}
	c.sizes(entries)
	c.missing(entries)
	for _, path := range c.place.Files() {
		own, _ := secrets.Names(path) // Entries has read it; a file that is missing has no entries
		c.entries(slices.DeleteFunc(own, func(e secrets.Entry) bool { return c.judgedElsewhere(e, entries) }))
	}
	return c.found
}

func (c *secretFiles) add(key string, severity infraspec.Severity, format string, args ...any) {
	c.found = append(c.found, c.spec.Finding(key, severity, infraspec.RuleSecretsFile, fmt.Sprintf(format, args...)))
}

// inEnvironmentsOnly reports whether nothing runs outside of the infraspec's environments, each of which is checked.
func (c *secretFiles) inEnvironmentsOnly() bool {
	return c.spec.Environment == "" && len(c.spec.Environments) > 0
}

// missing reports declared names without a value.
func (c *secretFiles) missing(entries []secrets.Entry) {
	if c.inEnvironmentsOnly() {
		return
	}
	where := "not in " + secrets.FileName
	if c.spec.Environment != "" {
		where = fmt.Sprintf("neither in %s nor in %s", secrets.FileName, filepath.Base(c.place.Own()))
	}
	for _, name := range c.spec.Secrets {
		known := slices.ContainsFunc(entries, func(e secrets.Entry) bool { return e.Name == name })
		if infraspec.IsVariable(name) && !known {
			c.add(c.spec.SecretPath(name), infraspec.Error, "%s is %s; set it with %s", name, where,
				c.place.SetCommand(name))
		}
	}
}

// judgedElsewhere reports whether an entry of one file is not to be judged here: an undeclared one of the common file
// concerns all environments at once, and a list that an environment's text replaces concerns none.
func (c *secretFiles) judgedElsewhere(e secrets.Entry, all []secrets.Entry) bool {
	if e.File != secrets.FileName {
		return false
	}
	if c.inEnvironmentsOnly() {
		return e.Shape == secrets.Nested && slices.Contains(c.spec.Secrets, e.Name)
	}
	replaced := !slices.Contains(all, e)
	return c.spec.Environment != "" && !slices.Contains(c.spec.Secrets, e.Name) || replaced && e.Shape == secrets.Nested
}

// entries reports entries of one file that are not encrypted, not text, or not declared.
func (c *secretFiles) entries(entries []secrets.Entry) {
	others := c.declaredElsewhere()
	for _, e := range entries {
		if !infraspec.IsVariable(e.Name) || others[e.Name] {
			continue // not quoted, because it may be anything; or another app in this folder uses it
		}
		key, declared := "secrets", slices.Index(c.spec.Secrets, e.Name)
		if declared >= 0 {
			key = c.spec.SecretPath(e.Name)
		}
		ref, referenced := c.spec.Reference(e.Name)
		switch {
		case e.Shape == secrets.Plain && declared < 0:
			c.add(key, infraspec.Warning, "%s is not encrypted in %s, and not listed here", e.Name, e.File)
		case e.Shape == secrets.Plain:
			c.add(key, infraspec.Error,
				"%s is not encrypted in %s; remove it there, set it with norn secrets set, and replace the secret",
				e.Name, e.File)
		case e.Shape == secrets.Nested && declared >= 0:
			c.add(key, infraspec.Error, "%s is a list or a mapping in %s, which cannot be an environment variable",
				e.Name, e.File)
		case referenced:
			c.add(c.spec.SecretPath(e.Name), infraspec.Warning,
				"the app gets %s from Secret %s, so the value in %s has no effect", e.Name, ref.Secret, e.File)
		case declared < 0 && e.Shape != secrets.Readable:
			c.add(key, infraspec.Warning, "%s is in %s but not listed here, so the app does not get it", e.Name, e.File)
		}
	}
}

// declaredElsewhere returns the secrets that only other infraspecs in the folder declare, such as
// infraspec.worker.yaml. They share the encrypted files. For the infraspec without an environment, these are also the
// secrets of environments.
func (c *secretFiles) declaredElsewhere() map[string]bool {
	names := map[string]bool{}
	add := func(declared []string) {
		for _, name := range declared {
			names[name] = !slices.Contains(c.spec.Secrets, name)
		}
	}
	if c.inEnvironmentsOnly() {
		for _, one := range c.spec.InEnvironments() {
			add(one.Secrets)
		}
	}
	for _, other := range infraspecsBeside(c.spec) {
		add(other.Secrets)
		for _, one := range other.InEnvironments() {
			add(one.Secrets)
		}
	}
	return names
}

// infraspecsBeside returns the other infraspecs in the folder of one.
func infraspecsBeside(spec *infraspec.Spec) []*infraspec.Spec {
	var all []*infraspec.Spec
	paths, _ := filepath.Glob(filepath.Join(filepath.Dir(spec.Path()), "infraspec*.yaml")) // the pattern is valid
	for _, path := range paths {
		if filepath.Base(path) != filepath.Base(spec.Path()) {
			other, _ := infraspec.Inspect(path)
			all = append(all, other)
		}
	}
	return all
}

// unused reports the files of environments that no infraspec in the folder has, such as one with a misspelled name.
func (c *secretFiles) unused() {
	if !c.inEnvironmentsOnly() {
		return
	}
	files, _ := os.ReadDir(c.place.Dir) // other checks report a folder that norn cannot read
	for _, file := range files {
		name, ok := secrets.EnvironmentOf(file.Name())
		_, known := c.spec.Environments[name]
		if !ok || known {
			continue
		}
		used := slices.ContainsFunc(infraspecsBeside(c.spec), func(o *infraspec.Spec) bool {
			_, has := o.Environments[name]
			return has
		})
		if used {
			continue
		}
		c.add("environments", infraspec.Warning, "%s is not used, because there is no environment %s", file.Name(), name)
	}
}
