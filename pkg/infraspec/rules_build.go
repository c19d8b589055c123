package infraspec

import (
	"maps"
	"path"
	"regexp"
	"slices"
)

// stageName matches the names and numbers of stages (docs.docker.com: Dockerfile reference, FROM).
var stageName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

// ownBuildArgs are the build args that norn sets.
var ownBuildArgs = []string{"VERSION", "BUILD_NUMBER", "SOURCE_DATE_EPOCH"}

func (d *decoder) build(b Build) {
	for _, one := range []struct{ key, value string }{
		{"build.dockerfile", b.Dockerfile}, {"build.context", b.Context},
	} {
		switch {
		case one.value == "":
			d.at(one.key, Error, RulePath, "%s is empty; remove it or set a path", one.key)
		case path.IsAbs(one.value):
			d.at(one.key, Error, RulePath, "%s %s must be relative to the folder of infraspec.yaml", one.key, quoted(one.value))
		}
	}
	if b.Target != "" && !stageName.MatchString(b.Target) {
		d.at("build.target", Error, RuleName, "build.target %s is not the name of a stage", quoted(b.Target))
	}
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		key := "build.args." + name
		switch {
		case !envName.MatchString(name):
			d.atKey(key, Error, RuleVariable, "build.args: invalid name; %s", nameAdvice)
		case slices.Contains(ownBuildArgs, name):
			d.at(key, Error, RuleVariable, "norn sets the build arg %s itself; choose another name", name)
		case LooksSecret(name, b.Args[name]):
			d.at(key, Warning, RuleSecretInEnv, "the value of %s looks like a secret that anyone can read in this file and in "+
				"the image's history", key)
		}
	}
}
