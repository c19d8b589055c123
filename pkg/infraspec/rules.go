package infraspec

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/util/validation"
)

// check applies the rules that involve more than one value or more than its type.
func (d *decoder) check(s *Spec) {
	d.identity(s)
	d.role(s)
	d.traffic(s)
	d.hosts(s)
	d.route(s)
	d.build(s.Build)
	d.repo(s)
	d.platforms(s)
	d.variables(s)
	d.secretSources(s)
	d.commands(s)
	d.volumes(s)
	d.pod(s)
	d.overlayPath(s)
	d.resources(s)
	d.database(s)
	d.verify(s)
	d.processes(s)
	d.withoutEffect()
}

// need adds an error if key's value is missing. It adds nothing if the value is present but invalid, which the decoder
// has already reported.
func (d *decoder) need(key string, there bool, message string) {
	if !there && (!d.has(key) || !d.foundAt(key)) {
		d.at(key, Error, RuleRequired, "%s", message)
	}
}

// dnsLabel describes a valid DNS label.
const dnsLabel = "use lower-case letters, digits and '-' (not first or last), at most 63 characters"

// maxCronName is the longest name of a CronJob, in characters: its Jobs' names must fit too (kubernetes.io: CronJob).
const maxCronName = 52

// ValidName reports whether name is valid as an app's name.
func ValidName(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

func (d *decoder) identity(s *Spec) {
	switch {
	case s.App == "": // already reported
	case len(s.App) > validation.DNS1123LabelMaxLength:
		d.at("app", Error, RuleName, "app %s is too long: %d characters, at most %d",
			quoted(s.App), len(s.App), validation.DNS1123LabelMaxLength)
	case !ValidName(s.App):
		d.at("app", Error, RuleName, "app %s is not a DNS label; %s", quoted(s.App), dnsLabel)
	case s.Role == Cron && len(s.App) > maxCronName:
		d.at("app", Error, RuleName, "app %s is too long for a CronJob: %d characters, at most %d",
			quoted(s.App), len(s.App), maxCronName)
	}
	for i, name := range s.Needs {
		key := element("needs", i)
		switch {
		case !d.has(key) || d.foundAt(key): // not a string, already reported
		case !ValidName(name):
			d.at(key, Error, RuleName, "%s is not a name for an app; %s", quoted(name), dnsLabel)
		case name == s.App:
			d.at(key, Error, RuleName, "an app cannot need itself")
		case slices.Contains(s.Needs[:i], name):
			d.at(key, Error, RuleTwice, "needs: %s is listed twice", quoted(name))
		}
	}
}

// role checks the keys that each role needs, and warns about keys that have no effect for it.
func (d *decoder) role(s *Spec) {
	switch s.Role {
	case Webserver:
		d.need("port", s.Port != 0, "a webserver needs a port: the port that its container listens on")
	case Cron:
		d.need("schedule", s.Schedule != "", "a cron "+d.noun()+" needs a schedule, such as schedule: \"0 3 * * *\"")
		d.need("command", len(s.Command) > 0, "a cron "+d.noun()+" needs a command")
	}
	for _, r := range []struct {
		key   string
		roles []Role
	}{
		{"port", []Role{Webserver, Function}},
		{"healthcheck", []Role{Webserver, Worker}}, {"drain", []Role{Webserver}},
		{"replicas", []Role{Webserver, Worker}},
		{"hosts.internal", []Role{Webserver}}, {"hosts.external", []Role{Webserver}},
		{"schedule", []Role{Cron}}, {"timezone", []Role{Cron}}, {"timeout", []Role{Cron}}, {"function", []Role{Function}},
		{"verify", []Role{Webserver, Worker}},
	} {
		if (r.key == "function" || r.key == "verify") && d.process != "" {
			continue // not a key of a process
		}
		known := (d.has("role") || d.process != "") && slices.Contains([]Role{Webserver, Worker, Cron, Function}, s.Role)
		if known && d.has(r.key) && !slices.Contains(r.roles, s.Role) && !d.foundAt(r.key) {
			d.atKey(r.key, Warning, RuleIgnored, "%s has no effect for role %s", r.key, s.Role)
		}
	}
	if s.Schedule != "" {
		d.schedule(s.Schedule)
	}
}

// schedule parses text with the library that Kubernetes uses. Unlike the library, Kubernetes rejects a time zone.
func (d *decoder) schedule(text string) {
	if strings.Contains(text, "TZ") {
		d.at("schedule", Error, RuleSchedule, "schedule %s sets a time zone, which Kubernetes does not accept; set timezone",
			quoted(text))
		return
	}
	_, err := cron.ParseStandard(text)
	switch {
	case err != nil && strings.HasPrefix(text, "@"):
		d.at("schedule", Error, RuleSchedule,
			"schedule %s is not one of @hourly, @daily, @weekly, @monthly, @yearly and @every with a duration", quoted(text))
	case err != nil:
		d.at("schedule", Error, RuleSchedule, "schedule %s is not cron syntax (minute hour day month weekday): %s",
			quoted(text), quoted(err.Error()))
	}
}

// foundAt reports whether there is already a finding at key's value.
func (d *decoder) foundAt(key string) bool {
	n := d.places[d.path(key)]
	return slices.ContainsFunc(d.findings, func(f Finding) bool { return f.Line == n.Line && f.Column == n.Column })
}

func (d *decoder) hosts(s *Spec) {
	internal := s.Hosts.Internal
	if internal != "" && len(validation.IsDNS1035Label(internal)) > 0 {
		d.at("hosts.internal", Error, RuleName, "hosts.internal %s is not a valid Service name; "+
			"begin with a lower-case letter, then use lower-case letters, digits and '-', at most 63 characters",
			quoted(internal))
	}
	d.externalHosts(s)
}

var scheme = regexp.MustCompile(`^[a-z]+://`)

// hostProblem returns why text is not a host name, or "". Routes accept * as the first label.
func hostProblem(text string) string {
	name := strings.TrimPrefix(text, "*.")
	long := slices.ContainsFunc(strings.Split(name, "."), func(label string) bool {
		return len(label) > validation.DNS1123LabelMaxLength
	})
	switch {
	case scheme.MatchString(text):
		return "must be only a host name, without " + scheme.FindString(text)
	case strings.ContainsAny(text, ":/"):
		return "must be only a host name, without port or path"
	case long || len(validation.IsDNS1123Subdomain(name)) > 0:
		return "is not a host name; use lower-case letters, digits, '-' and '.', at most 63 characters per label"
	}
	return ""
}

// scpLike matches git's short form of an SSH address.
var scpLike = regexp.MustCompile(`^[\w.-]+@[\w.-]+:\S+$`)

func (d *decoder) repo(s *Spec) {
	address := s.Repo.URL
	u, err := url.Parse(address)
	switch {
	case address == "" || scpLike.MatchString(address):
	case err != nil || !slices.Contains([]string{"https", "http", "ssh", "git", "file"}, u.Scheme):
		d.at("repo.url", Error, RulePath,
			"repo.url is not a git address such as https://host/team/app.git or git@host:team/app.git")
	default:
		if _, has := u.User.Password(); has || u.User != nil && u.Scheme != "ssh" {
			d.at("repo.url", Warning, RuleSecretInEnv, "repo.url contains credentials; remove them and set NORN_GIT_TOKEN")
		}
	}
}

// withoutEffect adds a note for each key that norn accepts but ignores.
func (d *decoder) withoutEffect() {
	for _, key := range []string{
		"core", "runtime", "target", "alerts", "services.kv", "services.events", "services.storage",
		"services.postgres.migrations", "repo.autoDeploy", "repo.repoWeb", "repo.webhookSecret", "function.trigger",
	} {
		if d.has(key) {
			d.atKey(key, Note, RuleNoEffect, "norn accepts %s but ignores it", key)
		}
	}
}

func element(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }
