package infraspec

import (
	"net/url"
	"reflect"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// Healthcheck is how Kubernetes checks whether a container works: in the file either an HTTP path or a mapping. It sets
// exactly one of Path, TCP and Command, or none of them if there is no check.
type Healthcheck struct {
	// Path is the path of an HTTP request, such as /healthz. An HTTP status from 200 to 399 passes.
	Path string `yaml:"path" jsonschema:"pattern=^(/|$)"`
	// TCP is true to check only whether the port accepts a connection.
	TCP bool `yaml:"tcp"`
	// Command is a command that runs in the container. Exit code 0 passes.
	Command Command `yaml:"command"`
	// Port is the port for path and tcp. The default is the app's port. A worker must set it.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
	// Start is how long the app may take to start. A failing check does not restart the container before that.
	Start Seconds `yaml:"start" jsonschema:"default=150s"`
	// Every is the time between two checks of a running app. After three failures in a row, a Pod gets no requests; after
	// nine, its container is restarted.
	Every Seconds `yaml:"every" jsonschema:"default=10s"`
}

// IsSet reports whether there is a check.
func (h Healthcheck) IsSet() bool { return h.Path != "" || h.TCP || len(h.Command) > 0 }

// Delay is a duration that may be 0, in the file either whole seconds or a Go duration.
type Delay time.Duration

// Duration returns d as a time.Duration.
func (d Delay) Duration() time.Duration { return time.Duration(d) }

func (d *decoder) delay(n *yaml.Node, path string, p *Delay) {
	if n.Kind == yaml.ScalarNode {
		if zero, err := time.ParseDuration(n.Value); n.Value == "0" || err == nil && zero == 0 {
			*p = 0
			return
		}
	}
	var s Seconds
	d.seconds(n, path, &s)
	*p = Delay(s)
}

// healthcheck decodes a path or a mapping.
func (d *decoder) healthcheck(n *yaml.Node, path string, h *Healthcheck) {
	switch n.Kind {
	case yaml.MappingNode:
		d.structValue(n, path, reflect.ValueOf(h).Elem())
	case yaml.ScalarNode:
		h.Path = n.Value
	default:
		d.add(n, Error, RuleWrongType, "%s must be a path or a mapping, not %s", path, describe(n, path))
	}
}

// maxDelay is the longest duration that Kubernetes counts in seconds for an app's start and end.
const maxDelay = 24 * time.Hour

// traffic checks the keys that say when an app's Pods get requests: healthcheck, drain and stop.
func (d *decoder) traffic(s *Spec) {
	d.health(s)
	for key, length := range map[string]time.Duration{
		"drain": s.Drain.Duration(), "stop": s.Stop.Duration(),
		"healthcheck.start": s.Healthcheck.Start.Duration(), "healthcheck.every": s.Healthcheck.Every.Duration(),
	} {
		if length > maxDelay && d.has(key) && !d.foundAt(key) {
			d.at(key, Error, RuleDuration, "%s must be at most %s", key, "24h")
		}
	}
	if s.Role == Webserver && d.has("drain") && s.Hosts.Internal == "" {
		d.atKey("drain", Warning, RuleIgnored, "drain needs hosts.internal: only a Service sends requests to the Pods")
	}
}

// health checks the healthcheck.
func (d *decoder) health(s *Spec) {
	h, place := s.Healthcheck, d.places[d.path("healthcheck")]
	if place == nil || d.foundAt("healthcheck") {
		return
	}
	mapping, at := place.Kind == yaml.MappingNode, "healthcheck"
	if mapping {
		at = "healthcheck.path"
		d.healthKinds(h)
	}
	if h.Path != "" && !validHealthcheck(h.Path) {
		d.at(at, Error, RulePath, "healthcheck %s must be a path that begins with /, such as /healthz", quoted(h.Path))
	}
	switch {
	case s.Role != Worker || !h.IsSet():
	case !mapping && d.has("port"): // has never had an effect, and is not an error
		d.atKey("healthcheck", Warning, RuleIgnored, "healthcheck has no effect for role %s", s.Role)
	case !mapping:
		d.at("healthcheck", Error, RuleHealthcheck, "a healthcheck needs a port, which a worker does not have; "+
			"use role webserver, or write healthcheck: {path: %s, port: PORT} or {command: COMMAND}", quoted(h.Path))
	case len(h.Command) == 0 && !d.has("healthcheck.port"):
		d.at("healthcheck", Error, RuleHealthcheck, "healthcheck.port is missing: a worker has no port of its own")
	}
}

// healthKinds checks that a mapping sets exactly one kind of check, and no key without effect.
func (d *decoder) healthKinds(h Healthcheck) {
	var kinds []string
	for _, kind := range []struct {
		key string
		set bool
	}{{"path", h.Path != ""}, {"tcp", h.TCP}, {"command", len(h.Command) > 0}} {
		if kind.set || d.has("healthcheck."+kind.key) && d.foundAt("healthcheck."+kind.key) {
			kinds = append(kinds, kind.key)
		}
	}
	switch {
	case len(kinds) == 0:
		d.at("healthcheck", Error, RuleHealthcheck, "healthcheck sets none of path, tcp and command; set one of them")
	case len(kinds) > 1:
		d.atKey("healthcheck."+kinds[1], Error, RuleHealthcheck, "healthcheck sets %s; keep only one of them",
			strings.Join(kinds, " and "))
	case kinds[0] == "command" && d.has("healthcheck.port"):
		d.atKey("healthcheck.port", Warning, RuleIgnored, "healthcheck.port has no effect with healthcheck.command")
	}
}

func validHealthcheck(p string) bool {
	_, err := url.ParseRequestURI(p)
	return err == nil && strings.HasPrefix(p, "/")
}
