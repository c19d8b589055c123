package infraspec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// envName matches names that are valid both as a key of a Secret and as an environment variable in Kubernetes.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// nameAdvice describes a valid variable name.
const nameAdvice = "use letters, digits, '_', '.' and '-', and do not begin with a digit"

// IsVariable reports whether name is valid as an environment variable and as a key of a Secret, and is not itself a
// secret.
func IsVariable(name string) bool { return envName.MatchString(name) && !holdsSecret(name) }

// Limits of a container's environment, in bytes.
const (
	maxVariable = 128 << 10 // of NAME=VALUE with the NUL at its end (man 2 execve: MAX_ARG_STRLEN)
	// MaxSecret limits the values of a Secret together (k8s.io/api/core/v1: MaxSecretSize).
	MaxSecret = 1 << 20
)

// TooLong returns why no container can get a variable whose value has size bytes, or "".
func TooLong(name string, size int) string {
	limit := maxVariable - len(name) - len("=\x00")
	if size <= limit {
		return ""
	}
	return fmt.Sprintf("%s has %d bytes, more than the limit of %d for an environment variable", name, size, limit)
}

// hasNUL is why no container can get a value with a NUL byte.
const hasNUL = "%s contains a NUL byte, which an environment variable cannot hold"

// variables checks env and secrets, which share the container's environment.
func (d *decoder) variables(s *Spec) {
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		key := "env." + name
		switch value := s.Env[name]; {
		case !envName.MatchString(name):
			d.atKey(key, Error, RuleVariable, "env: invalid variable name; %s", nameAdvice)
		case TooLong(name, len(value)) != "":
			d.at(key, Error, RuleVariable, "%s; put it into a file of the image or of a volume", TooLong(name, len(value)))
		case strings.Contains(value, "\x00"):
			d.at(key, Error, RuleVariable, hasNUL, name)
		case LooksSecret(name, value):
			d.at(key, Warning, RuleSecretInEnv, "the value of %s looks like a secret that anyone can read in this file and the "+
				"Deployment; move it to secrets.enc.yaml and list its name under secrets", name)
		case name == "PORT" && d.has("port") && value != strconv.Itoa(s.Port) && s.Port != 0:
			d.at(key, Warning, RulePortMismatch, "env.PORT differs from port, which is %d", s.Port)
		}
	}
	seen := map[string]bool{}
	for i, name := range s.Secrets {
		key := element("secrets", i)
		if !d.has(key) {
			key = join("secrets", name)
		}
		_, inEnv := s.Env[name]
		switch {
		case !d.has(key) || d.foundAt(key): // not a string, already reported
		case invalidName(name) != "":
			d.at(key, Error, RuleVariable, "%s %s", key, invalidName(name))
		case seen[name]:
			d.at(key, Error, RuleTwice, "secrets: %s is listed twice", quoted(name))
		case inEnv:
			d.at(key, Error, RuleTwice, "%s is in both env and secrets; keep only one", quoted(name))
		}
		seen[name] = true
	}
}

// commands warns about secrets in command lines, which anyone who can list processes can read.
func (d *decoder) commands(s *Spec) {
	for _, c := range []struct{ key, text string }{
		{"command", strings.Join(s.Command, " ")},
		{"migrations.command", strings.Join(s.Migrations.Command, " ")},
		{"verify", strings.Join(s.Verify, " ")},
		{"build.test", s.Build.Test},
		{"healthcheck", s.Healthcheck.Path}, {"healthcheck.command", strings.Join(s.Healthcheck.Command, " ")},
	} {
		if holdsSecret(c.text) {
			d.at(c.key, Warning, RuleSecretInEnv, "%s appears to contain a secret that anyone can read in this file and the "+
				"process list; read it from the environment instead", c.key)
		}
	}
}

// DatabaseURL is the environment variable that holds the address of an app's database.
const DatabaseURL = "DATABASE_URL"

// verify checks that a Pod of a new version can run beside those of the running one.
func (d *decoder) verify(s *Spec) {
	volume, i := s.Exclusive()
	if len(s.Verify) == 0 || i < 0 || !s.Role.Standing() {
		return
	}
	d.at("verify", Error, RuleClaim, "verify starts a Pod beside the running ones, but the claim of volume %s is for one "+
		"version at a time; set access: ReadWriteMany for it, or remove verify", quoted(volume.Name))
}

// fileSafe matches the names that are safe in the name of a dump, up to PostgreSQL's longest name (postgresql.org:
// Lexical Structure, Identifiers).
var fileSafe = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

// database checks the settings behind migrations and a generated DATABASE_URL.
func (d *decoder) database(s *Spec) {
	_, inEnv := s.Env[DatabaseURL]
	generated := s.Services.Postgres != nil && s.Services.Postgres.Database != ""
	switch {
	case len(s.Migrations.Command) > 0 && s.Migrations.Database == "":
		d.at("migrations.command", Note, RuleDatabase, // a deploy says that it skips the snapshot
			"no database is dumped before this migration; set migrations.database")
	case len(s.Migrations.Command) == 0 && d.has("migrations.database"):
		d.at("migrations.database", Warning, RuleIgnored, "migrations.database has no effect without migrations.command")
	}
	if name := s.Migrations.Database; name != "" && !fileSafe.MatchString(name) {
		d.at("migrations.database", Error, RuleName, "migrations.database %s must consist of letters, digits, '_' and '-', "+
			"at most 63 characters: it is part of a file's name", quoted(name))
	}
	const overrides = "this DATABASE_URL overrides the one generated from services.postgres"
	if generated && slices.Contains(s.SecretVariables(), DatabaseURL) {
		d.at(s.SecretPath(DatabaseURL), Warning, RuleDatabase, overrides)
	} else if generated && inEnv {
		d.at("env."+DatabaseURL, Warning, RuleDatabase, overrides)
	}
}
