package infraspec

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// envName is what Kubernetes takes as a key of a Secret and, being a variable's name too, of the environment.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// IsVariable reports whether a text can name an environment variable and a value in a Secret, and is no secret itself.
func IsVariable(name string) bool { return envName.MatchString(name) && !holdsSecret(name) }

// variables checks env and secrets, which become one environment.
func (d *decoder) variables(s *Spec) {
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		key := "env." + name
		switch value := s.Env[name]; {
		case !envName.MatchString(name):
			d.atKey(key, Error, RuleVariable, "env: this is not a variable's name: letters, digits, '_', '.' and '-', no digit first")
		case LooksSecret(name, value):
			d.at(key, Warning, RuleSecretInEnv, "the value of %s looks like a secret, readable for all who see this file or the Deployment; move it to secrets.enc.yaml and name it under secrets", name)
		case name == "PORT" && d.has("port") && value != strconv.Itoa(s.Port) && s.Port != 0:
			d.at(key, Warning, RulePortMismatch, "env sets PORT to another port than port, which is %d", s.Port)
		}
	}
	seen := map[string]bool{}
	for i, name := range s.Secrets {
		key := element("secrets", i)
		_, inEnv := s.Env[name]
		switch {
		case !d.has(key) || d.foundAt(key): // no string, which has been said
		case strings.ContainsAny(name, "=: "): // not repeated: it may be the value itself
			d.at(key, Error, RuleVariable, "%s must be a name alone; its value belongs into secrets.enc.yaml, and nowhere else", key)
		case !envName.MatchString(name):
			d.at(key, Error, RuleVariable, "%s is not a variable's name: letters, digits, '_', '.' and '-', no digit first", key)
		case holdsSecret(name):
			d.at(key, Error, RuleVariable, "%s looks like a secret itself; name it, and put the value into secrets.enc.yaml", key)
		case seen[name]:
			d.at(key, Error, RuleTwice, "secrets: %s stands twice", quoted(name))
		case inEnv:
			d.at(key, Error, RuleTwice, "%s is in env and in secrets; keep it in one of them", quoted(name))
		}
		seen[name] = true
	}
}

// commands warns of secrets in command lines, which everybody sees who sees the processes.
func (d *decoder) commands(s *Spec) {
	for _, c := range []struct{ key, text string }{
		{"command", strings.Join(s.Command, " ")}, {"migrations.command", strings.Join(s.Migrations.Command, " ")}, {"build.test", s.Build.Test}, {"healthcheck", s.Healthcheck},
	} {
		if holdsSecret(c.text) {
			d.at(c.key, Warning, RuleSecretInEnv, "%s holds what looks like a secret, readable for all who see this file or the processes; let it come from the environment", c.key)
		}
	}
}

// DatabaseURL is the environment variable that holds the address of an app's database.
const DatabaseURL = "DATABASE_URL"

// database checks what a migration and a generated DATABASE_URL rest on.
func (d *decoder) database(s *Spec) {
	_, inEnv := s.Env[DatabaseURL]
	generated := s.Services.Postgres != nil && s.Services.Postgres.Database != ""
	switch {
	case len(s.Migrations.Command) > 0 && s.Migrations.Database == "" && !generated:
		d.at("migrations.command", Warning, RuleDatabase, "no database is dumped before this migration: name it in migrations.database or services.postgres.database")
	case len(s.Migrations.Command) == 0 && d.has("migrations.database"):
		d.at("migrations.database", Warning, RuleIgnored, "migrations.database does nothing without migrations.command")
	}
	if i := slices.Index(s.Secrets, DatabaseURL); generated && i >= 0 {
		d.at(element("secrets", i), Warning, RuleDatabase, "this DATABASE_URL takes the place of the one that services.postgres generates")
	} else if generated && inEnv {
		d.at("env."+DatabaseURL, Warning, RuleDatabase, "this DATABASE_URL takes the place of the one that services.postgres generates")
	}
}
