package infraspec

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/robfig/cron/v3"
	"k8s.io/apimachinery/pkg/util/validation"
)

// check holds what the type of a single value cannot say.
func (d *decoder) check(s *Spec) {
	d.identity(s)
	d.role(s)
	d.hosts(s)
	d.build(s)
	d.variables(s)
	d.commands(s)
	d.volumes(s)
	d.resources(s)
	d.database(s)
	d.withoutEffect()
}

// need adds an error where a value is missing, unless it is there and was already found wrong.
func (d *decoder) need(key string, there bool, message string) {
	if !there && (!d.has(key) || !d.foundAt(key)) {
		d.at(key, Error, RuleRequired, "%s", message)
	}
}

// maxCronName is what a CronJob's name may have, so that its Jobs' names fit (kubernetes.io: CronJob).
const maxCronName = 52

// ValidName reports whether a text can be an app's name.
func ValidName(name string) bool { return len(validation.IsDNS1123Label(name)) == 0 }

func (d *decoder) identity(s *Spec) {
	switch {
	case s.App == "": // missing, which has been said
	case !ValidName(s.App):
		d.at("app", Error, RuleName, "app %s is not a DNS label: lower-case letters, digits and '-' in between, at most 63", quoted(s.App))
	case s.Role == Cron && len(s.App) > maxCronName:
		d.at("app", Error, RuleName, "app %s is too long for a CronJob: %d characters, at most %d", quoted(s.App), len(s.App), maxCronName)
	}
}

// role checks what each role needs, and warns of what does nothing for it.
func (d *decoder) role(s *Spec) {
	switch s.Role {
	case Webserver:
		d.need("port", s.Port != 0, "a webserver needs a port: the one its container listens on")
	case Cron:
		d.need("schedule", s.Schedule != "", "a cron app needs a schedule, such as schedule: \"0 3 * * *\"")
		d.need("command", len(s.Command) > 0, "a cron app needs a command")
	case Worker:
		if s.Healthcheck != "" && !d.has("port") {
			d.at("healthcheck", Error, RuleRequired, "a healthcheck needs a port, and a worker has none; a webserver has both")
		}
	}
	for _, r := range []struct {
		key   string
		roles []Role
	}{
		{"port", []Role{Webserver, Function}}, {"healthcheck", []Role{Webserver}}, {"replicas", []Role{Webserver, Worker}},
		{"hosts.internal", []Role{Webserver}}, {"hosts.external", []Role{Webserver}},
		{"schedule", []Role{Cron}}, {"timeout", []Role{Cron}}, {"function", []Role{Function}},
	} {
		if d.has(r.key) && d.has("role") && slices.Contains([]Role{Webserver, Worker, Cron, Function}, s.Role) && !slices.Contains(r.roles, s.Role) && !d.foundAt(r.key) {
			d.atKey(r.key, Warning, RuleIgnored, "%s does nothing for role %s", r.key, s.Role)
		}
	}
	if s.Healthcheck != "" && !validHealthcheck(s.Healthcheck) {
		d.at("healthcheck", Error, RulePath, "healthcheck %s must be a path that begins with /, such as /healthz", quoted(s.Healthcheck))
	}
	if s.Schedule != "" {
		d.schedule(s.Schedule)
	}
}

func validHealthcheck(p string) bool {
	_, err := url.ParseRequestURI(p)
	return err == nil && strings.HasPrefix(p, "/")
}

// schedule is checked by the library that Kubernetes checks it with; a time zone in it, Kubernetes does not take.
func (d *decoder) schedule(text string) {
	if strings.Contains(text, "TZ") {
		d.at("schedule", Error, RuleSchedule, "schedule %s names a time zone, which Kubernetes does not take there", quoted(text))
		return
	}
	if _, err := cron.ParseStandard(text); err != nil {
		d.at("schedule", Error, RuleSchedule, "schedule %s is not cron syntax (minute hour day month weekday): %s", quoted(text), quoted(err.Error()))
	}
}

// foundAt reports whether something was already found at a key's value.
func (d *decoder) foundAt(key string) bool {
	n := d.places[key]
	return slices.ContainsFunc(d.findings, func(f Finding) bool { return f.Line == n.Line && f.Column == n.Column })
}

func (d *decoder) hosts(s *Spec) {
	internal, external := s.Hosts.Internal, s.Hosts.External
	if internal != "" && len(validation.IsDNS1035Label(internal)) > 0 {
		d.at("hosts.internal", Error, RuleName, "hosts.internal %s cannot name a Service: a lower-case letter, then letters, digits and '-', at most 63", quoted(internal))
	}
	if external != "" {
		if problem := hostProblem(external); problem != "" {
			d.at("hosts.external", Error, RuleHost, "hosts.external %s %s", quoted(external), problem)
		}
		if !d.has("hosts.internal") && s.Role == Webserver {
			d.at("hosts.external", Warning, RuleIgnored, "hosts.external needs hosts.internal: the tunnel leads to the Service of that name")
		}
	}
}

var scheme = regexp.MustCompile(`^[a-z]+://`)

// hostProblem says why text is no host name; a first label of * is one that the tunnel takes.
func hostProblem(text string) string {
	name := strings.TrimPrefix(text, "*.")
	long := slices.ContainsFunc(strings.Split(name, "."), func(l string) bool { return len(l) > validation.DNS1123LabelMaxLength })
	switch {
	case scheme.MatchString(text):
		return "must be a host name alone, without " + scheme.FindString(text)
	case strings.ContainsAny(text, ":/"):
		return "must be a host name alone, without port or path"
	case long || len(validation.IsDNS1123Subdomain(name)) > 0:
		return "is not a host name: lower-case letters, digits and '-', parted by '.', at most 63 each"
	}
	return ""
}

// scpLike is git's short form of an SSH address.
var scpLike = regexp.MustCompile(`^[\w.-]+@[\w.-]+:\S+$`)

func (d *decoder) build(s *Spec) {
	switch df := s.Build.Dockerfile; {
	case df == "":
		d.at("build.dockerfile", Error, RulePath, "build.dockerfile is empty; leave it out, or name a file")
	case path.IsAbs(df):
		d.at("build.dockerfile", Error, RulePath, "build.dockerfile %s must be relative to the folder of infraspec.yaml", quoted(df))
	}
	address := s.Repo.URL
	u, err := url.Parse(address)
	switch {
	case address == "" || scpLike.MatchString(address):
	case err != nil || !slices.Contains([]string{"https", "http", "ssh", "git", "file"}, u.Scheme):
		d.at("repo.url", Error, RulePath, "repo.url is not a git address such as https://host/team/app.git or git@host:team/app.git")
	default:
		if _, has := u.User.Password(); has || u.User != nil && u.Scheme != "ssh" {
			d.at("repo.url", Warning, RuleSecretInEnv, "repo.url holds credentials; keep it out of the file, and give norn NORN_GIT_TOKEN")
		}
	}
}

// withoutEffect notes what norn accepts and does not act on.
func (d *decoder) withoutEffect() {
	for _, key := range []string{
		"core", "alerts", "services.kv", "services.events", "services.storage", "services.postgres.migrations",
		"repo.autoDeploy", "repo.repoWeb", "repo.webhookSecret", "function.trigger",
	} {
		if d.has(key) {
			d.atKey(key, Note, RuleNoEffect, "%s is accepted, and norn does not act on it", key)
		}
	}
}

func element(list string, i int) string { return fmt.Sprintf("%s[%d]", list, i) }
