package infraspec

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// checkRules holds what a single value's type cannot say.
func (d *decoder) checkRules(s *Spec) {
	d.identity(s)
	d.network(s)
	d.environment(s)
	d.volumes(s)
	if s.Replicas < 0 || s.Replicas > most {
		d.at("replicas", Error, "replicas must be 0 to %d, not %d", most, s.Replicas)
	}
	if s.Artifacts.Retain < 1 || s.Artifacts.Retain > most {
		d.at("artifacts.retain", Error, "artifacts.retain must be 1 to %d, not %d", most, s.Artifacts.Retain)
	}
	d.quantities("resources.requests", s.Resources.Requests)
	d.quantities("resources.limits", s.Resources.Limits)
	if s.Role == Cron {
		d.need("schedule", s.Schedule != "", "a cron app needs a schedule, such as schedule: \"0 3 * * *\"")
		d.need("command", len(s.Command) > 0, "a cron app needs a command")
	}
}

// most is more than anybody means, and well within what Kubernetes' 32 bits hold.
const most = 10000

// at adds a finding at a key's value, or at the nearest mapping above it where the key is absent.
func (d *decoder) at(key string, sev Severity, format string, args ...any) {
	d.add(d.place(key), sev, format, args...)
}

func (d *decoder) place(key string) *yaml.Node {
	for {
		if n, ok := d.places[key]; ok {
			return n
		}
		i := strings.LastIndexByte(key, '.')
		if i < 0 {
			return d.places[""]
		}
		key = key[:i]
	}
}

// need adds an error where a value is missing, unless it is there and was already found wrong.
func (d *decoder) need(key string, ok bool, format string, args ...any) {
	if _, present := d.places[key]; !ok && !present {
		d.at(key, Error, format, args...)
	}
}

func (d *decoder) identity(s *Spec) {
	if s.App == "" {
		d.at("app", Error, "app is missing: the app's name")
	} else if errs := validation.IsDNS1123Label(s.App); len(errs) > 0 {
		d.at("app", Error, "app %q is not a DNS label: lower-case letters, digits and '-', at most 63", s.App)
	}
	switch {
	case s.Role == "":
		d.at("role", Error, "role is missing: one of %s", strings.Join(roles, ", "))
	case !slices.Contains(roles, string(s.Role)):
		d.at("role", Error, "role %q is not one of %s%s", s.Role, strings.Join(roles, ", "), didYouMean(string(s.Role), roles))
	}
}

func (d *decoder) network(s *Spec) {
	if s.Role == Webserver {
		d.need("port", s.Port != 0, "a webserver needs a port: the one its container listens on")
	}
	if _, set := d.places["port"]; set && (s.Port < 1 || s.Port > 65535) && !d.foundAt("port") {
		d.at("port", Error, "port must be 1 to 65535, not %d", s.Port)
	}
	if s.Healthcheck != "" && !strings.HasPrefix(s.Healthcheck, "/") {
		d.at("healthcheck", Error, "healthcheck %q must be a path that begins with /", s.Healthcheck)
	}
	if s.Hosts.Internal != "" && len(validation.IsDNS1035Label(s.Hosts.Internal)) > 0 {
		d.at("hosts.internal", Error, "hosts.internal %q cannot name a Service: a lower-case letter, then letters, digits and '-', at most 63", s.Hosts.Internal)
	}
	if s.Hosts.External != "" && len(validation.IsDNS1123Subdomain(s.Hosts.External)) > 0 {
		d.at("hosts.external", Error, "hosts.external %q is not a host name", s.Hosts.External)
	}
}

func (d *decoder) foundAt(key string) bool {
	n := d.places[key]
	return slices.ContainsFunc(d.findings, func(f Finding) bool { return f.Line == n.Line && f.Column == n.Column })
}

// envName is what Kubernetes takes as a key of a Secret and, being a variable's name too, of the environment.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

func (d *decoder) environment(s *Spec) {
	for name := range s.Env {
		if !envName.MatchString(name) {
			d.at("env."+name, Error, "env: %q is not a variable's name", name)
		}
	}
	seen := map[string]bool{}
	for i, name := range s.Secrets {
		key := fmt.Sprintf("secrets[%d]", i)
		switch _, inEnv := s.Env[name]; {
		case !envName.MatchString(name):
			d.at(key, Error, "secrets: %q is not a variable's name", name)
		case seen[name]:
			d.at(key, Error, "secrets: %q stands twice", name)
		case inEnv:
			d.at(key, Error, "%q is in env and in secrets; keep it in one of them", name)
		}
		seen[name] = true
	}
}

func (d *decoder) volumes(s *Spec) {
	names, mounts := map[string]bool{}, map[string]bool{}
	for i, v := range s.Volumes {
		key := fmt.Sprintf("volumes[%d]", i)
		claim := s.App + "-" + v.Name
		switch {
		case v.Name == "":
			d.at(key, Error, "a volume needs a name")
		case len(validation.IsDNS1123Label(v.Name)) > 0:
			d.at(key+".name", Error, "volume name %q is not a DNS label", v.Name)
		case names[v.Name]:
			d.at(key+".name", Error, "volume name %q stands twice", v.Name)
		case v.HostPath == "" && len(validation.IsDNS1123Subdomain(claim)) > 0:
			d.at(key+".name", Error, "%q cannot name a PersistentVolumeClaim", claim)
		}
		names[v.Name] = true
		if !path.IsAbs(v.MountPath) {
			d.at(key+".mountPath", Error, "volume %s needs an absolute mountPath, not %q", v.Name, v.MountPath)
		} else if mounts[path.Clean(v.MountPath)] {
			d.at(key+".mountPath", Error, "two volumes are mounted at %s", v.MountPath)
		}
		mounts[path.Clean(v.MountPath)] = true
		d.backing(key, v)
	}
}

// backing checks what is behind a volume: a size or a hostPath.
func (d *decoder) backing(key string, v Volume) {
	switch {
	case v.Size == "" && v.HostPath == "":
		d.at(key, Error, "volume %s needs a size (for a PersistentVolumeClaim) or a hostPath", v.Name)
	case v.HostPath != "" && v.Size != "":
		d.at(key+".size", Warning, "volume %s has a size and a hostPath; hostPath wins", v.Name)
	case v.Size != "":
		if q, err := resource.ParseQuantity(v.Size); err != nil || q.Sign() <= 0 {
			d.at(key+".size", Error, "volume %s: size %q is not a quantity such as 1Gi", v.Name, v.Size)
		}
	}
	if v.HostPath != "" && !path.IsAbs(v.HostPath) {
		d.at(key+".hostPath", Error, "volume %s: hostPath %q must be absolute", v.Name, v.HostPath)
	}
}

func (d *decoder) quantities(key string, m map[string]string) {
	for name, text := range m {
		if q, err := resource.ParseQuantity(text); err != nil || q.Sign() < 0 {
			d.at(key+"."+name, Error, "%s.%s: %q is not a quantity such as 250m or 128Mi", key, name, text)
		}
	}
}
