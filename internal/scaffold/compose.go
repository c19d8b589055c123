package scaffold

import (
	"cmp"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// composeFile converts a compose.yaml (docs.docker.com/reference/compose-file).
type composeFile struct {
	*draft
	root     *yaml.Node
	services []*composeService
}

// composeService is a service that norn builds.
type composeService struct {
	name      string
	key, node *yaml.Node
	build     composeBuild
}

// composeBuild identifies an image. Services of the same image become processes of one app.
type composeBuild struct{ context, dockerfile, target, args string }

// fromCompose converts the text of a compose.yaml in a folder.
func fromCompose(file, folder string, data []byte) (string, []string, error) {
	s := &sourceFile{file: file, refs: map[*yaml.Node][]string{}, unset: map[*yaml.Node][]string{}}
	root, err := s.parseYAML(data)
	if err != nil {
		return "", nil, err
	}
	s.interpolate(root)
	c := &composeFile{draft: &draft{sourceFile: s}, root: root}
	if at(root, "services") == nil || at(root, "services").Kind != yaml.MappingNode {
		return "", nil, s.errorf(0, "the file has no mapping services")
	}
	c.setName(at(root, "name"), "name", cmp.Or(c.text(at(root, "name"), "name"), appName(filepath.Base(folder))))
	if err := c.choose(); err != nil {
		return "", nil, err
	}
	c.convert()
	c.entrypoint(folder)
	c.rest()
	return c.finish()
}

// choose finds the services that norn builds, and names the others.
func (c *composeFile) choose() error {
	own := map[string]bool{} // images that the file builds
	for _, v := range pairs(at(c.root, "services")) {
		if image := word(at(v, "image")); at(v, "build") != nil && image != "" {
			own[image] = true
		}
	}
	for k, v := range pairs(at(c.root, "services")) {
		key, image := "services."+k.Value, word(at(v, "image"))
		switch {
		case v.Kind != yaml.MappingNode:
			c.note(k, key, "it is not a mapping, and is left out")
		case at(v, "build") != nil || own[image]:
			c.services = append(c.services, &composeService{name: k.Value, key: k, node: v})
		case at(v, "extends") != nil:
			c.note(k, key, "extends is not followed; convert the output of docker compose config instead")
		default:
			c.note(k, key, "it runs an image of somebody else; use a chart, an operator or a service elsewhere")
		}
	}
	if len(c.services) == 0 {
		return c.errorf(0, "no service has build; norn deploys apps that it builds from source")
	}
	for _, one := range c.services {
		one.build = c.buildOf(one)
	}
	for _, one := range c.services {
		for _, other := range c.services {
			if image := word(at(one.node, "image")); at(one.node, "build") == nil && at(other.node, "build") != nil &&
				image == word(at(other.node, "image")) {
				one.build = other.build
			}
		}
	}
	return nil
}

func (c *composeFile) buildOf(one *composeService) composeBuild {
	n := at(one.node, "build")
	if n != nil && n.Kind == yaml.ScalarNode {
		return composeBuild{context: cmp.Or(word(n), ".")}
	}
	args := ""
	for k, v := range c.assignments(at(n, "args")) {
		args += strconv.Quote(k) + strconv.Quote(v.Value)
	}
	return composeBuild{
		context: cmp.Or(word(at(n, "context")), "."), dockerfile: word(at(n, "dockerfile")), target: word(at(n, "target")),
		args: args,
	}
}

// main returns the main service: one with a port and a usual name, or with a port, or the first.
func (c *composeFile) mainService() *composeService {
	best, points := c.services[0], -1
	for _, one := range c.services {
		now := 0
		if at(one.node, "ports") != nil {
			now += 4
		} else if at(one.node, "expose") != nil {
			now += 2
		}
		if slices.Contains([]string{"web", "app", "server", "www"}, one.name) {
			now++
		}
		if at(one.node, "profiles") != nil || c.migrates(one) {
			now = 0
		}
		if now > points {
			best, points = one, now
		}
	}
	return best
}

// convert makes one service the main process, and those of the same image the others.
func (c *composeFile) convert() {
	main := c.mainService()
	c.setBuild(main)
	c.main.role = infraspec.Worker
	c.service(&c.main, main)
	for _, one := range c.services {
		key := "services." + one.name
		switch {
		case one == main:
		case one.build != main.build:
			c.note(one.key, key, "it has another build than %s; norn builds one image for an app; run norn init in its folder",
				shownKey(main.name))
		case at(one.node, "profiles") != nil:
			c.note(one.key, key, "it runs only with a profile, and is left out; use norn run APP -- CMD")
		case c.migrates(one) && c.migration == nil:
			c.migration = c.composeCommand(one)
			c.note(one.key, key, "it is now the migration, which runs before each rollout")
		default:
			before := len(c.others)
			if w := c.process(one.name); len(c.others) > before {
				c.service(w, one)
			} else {
				c.note(one.key, key, "another process has the same name in norn; rename it")
			}
		}
	}
}

// migrates reports whether a service looks like a migration that runs once.
func (c *composeFile) migrates(one *composeService) bool {
	return strings.Contains(one.name, "migrat") && (at(one.node, "command") != nil || at(one.node, "entrypoint") != nil)
}

func (c *composeFile) setBuild(one *composeService) {
	n, key := at(one.node, "build"), "services."+one.name+".build"
	if n == nil { // the service that builds its image has it
		for _, other := range c.services {
			if other.build == one.build && at(other.node, "build") != nil {
				n, key = at(other.node, "build"), "services."+other.name+".build"
			}
		}
	}
	contextNode := n
	if n.Kind == yaml.MappingNode {
		contextNode = at(n, "context")
	}
	base := "."
	if contextNode != nil {
		base = cmp.Or(c.inside(contextNode, key+".context", "."), ".")
	}
	if base != "." {
		c.context = base
	}
	if d := at(n, "dockerfile"); d != nil {
		c.dockerfile = c.inside(d, key+".dockerfile", base)
	} else if base != "." {
		c.dockerfile = path.Join(base, "Dockerfile")
	}
	if c.dockerfile == "Dockerfile" {
		c.dockerfile = ""
	}
	c.target = c.text(at(n, "target"), key+".target")
	c.buildArgs(at(n, "args"), key+".args")
	for k, v := range pairs(n) {
		switch k.Value {
		case "context", "dockerfile", "target", "args", "tags", "cache_from", "cache_to", "pull", "no_cache":
		case "platforms":
			c.note(v, key+".platforms", "norn builds for the platform of the nodes; set build.platforms for others")
		case "secrets", "ssh":
			c.note(v, key+"."+k.Value, "norn gives a build no secrets")
		default:
			c.note(v, key+"."+k.Value, "norn has no such setting")
		}
	}
}

// composeCommand returns the command with its entrypoint.
func (c *composeFile) composeCommand(one *composeService) *yaml.Node {
	key := "services." + one.name + ".command"
	entry := c.line(at(one.node, "entrypoint"), "services."+one.name+".entrypoint")
	command := c.line(at(one.node, "command"), key)
	switch {
	case entry == nil:
		return command
	case command == nil:
		return entry
	case entry.Kind == yaml.ScalarNode || command.Kind == yaml.ScalarNode:
		c.note(at(one.node, "command"), key, "norn cannot join it to the entrypoint; write both as one command")
		return entry
	}
	entry.Content = append(entry.Content, command.Content...)
	return entry
}

// service fills w from a service.
func (c *composeFile) service(w *workload, one *composeService) {
	key := "services." + one.name
	c.ports(w, one)
	w.command = c.composeCommand(one)
	for k, v := range pairs(one.node) {
		inner := key + "." + k.Value
		switch k.Value {
		case "build", "image", "ports", "expose", "command", "entrypoint", "mem_limit", "mem_reservation", "cpus":
		case "environment":
			c.environment(w, v, inner)
		case "env_file":
			c.envFile(v, inner)
		case "volumes":
			c.serviceVolumes(w, v, inner)
		case "healthcheck":
			c.health(w, v, inner)
		case "deploy":
			c.deploy(w, v, inner)
		case "scale":
			w.replicas = whole(v, 0, 10000)
		case "stop_grace_period":
			w.stop = c.seconds(v, inner, time.Second)
		case "restart":
			if word(v) == "no" || word(v) == "false" {
				c.note(v, inner, "norn restarts a process that ends; for one that runs once, use norn run or role: cron")
			}
		case "depends_on", "links":
			c.note(v, inner, "norn starts nothing in an order; the app must wait for what it needs")
		default:
			c.unknown(k, inner)
		}
	}
	limit(&w.limits, "memory", c.memory(at(one.node, "mem_limit"), key+".mem_limit", ""))
	limit(&w.limits, "cpu", c.cpu(at(one.node, "cpus"), key+".cpus"))
	limit(&w.requests, "memory", c.memory(at(one.node, "mem_reservation"), key+".mem_reservation", ""))
	c.requestWithinLimit(w, one)
}

// withoutEffect are keys of a service without an effect in a cluster. They need no note.
var withoutEffect = []string{
	"container_name", "hostname", "init", "tty", "stdin_open", "pull_policy", "networks", "develop", "logging", "platform",
	"stop_signal", "attach",
}

// unknown says why a key of a service is not carried over.
func (c *composeFile) unknown(k *yaml.Node, key string) {
	if strings.HasPrefix(k.Value, "x-") || slices.Contains(withoutEffect, k.Value) {
		return
	}
	why := "norn has no such setting; set the Pod's field in an overlay if the app needs it"
	switch k.Value {
	case "extends":
		why = "it is not followed; convert the output of docker compose config instead"
	case "profiles":
		why = "norn has no profiles"
	case "labels":
		why = "norn does not read labels; set hosts.external for a public host, or create an Ingress"
	case "secrets":
		why = "norn gives secrets as environment variables; list their names under secrets"
	case "configs":
		why = "norn writes no files; put them into the image, or mount them in an overlay"
	case "network_mode":
		why = "Pods have their own network; other apps reach the Service of hosts.internal"
	case "user", "working_dir":
		why = "set USER and WORKDIR in the Dockerfile"
	case "tmpfs":
		why = "mount an emptyDir in an overlay"
	}
	c.note(k, key, "%s", why)
}

// ports sets the first TCP port inside the container.
func (c *composeFile) ports(w *workload, one *composeService) {
	key := "services." + one.name + ".ports"
	list := items(at(one.node, "ports"))
	for _, n := range append(slices.Clone(list), items(at(one.node, "expose"))...) {
		text, protocol := word(n), ""
		if n.Kind == yaml.MappingNode {
			text, protocol = word(at(n, "target")), word(at(n, "protocol"))
		} else if before, after, found := strings.Cut(text, "/"); found {
			text, protocol = before, after
		}
		text = text[strings.LastIndex(text, ":")+1:]
		port, err := strconv.Atoi(text)
		switch {
		case protocol == "udp":
			c.note(n, key, "norn's Services are for TCP; create a Service for UDP yourself")
		case err != nil || port < 1 || port > 65535:
			c.note(n, key, "it is not one port of the container, and is left out")
		case w.port == 0:
			w.port, w.role = port, infraspec.Webserver
		case w.port != port:
			c.note(n, key, "a process has one port in norn, here %d; add a Service for %d yourself", w.port, port)
		}
	}
	if len(list) > 0 && w.port > 0 {
		c.note(list[0], key, "norn publishes no port of a node; set hosts.external, or create an Ingress for the Service")
	}
}

func (c *composeFile) environment(w *workload, n *yaml.Node, key string) {
	for name, value := range c.assignments(n) {
		switch {
		case isNull(value) || value.Tag == absent:
			if secretName(name) {
				c.secret(value, name, "the value is that of your shell")
			} else {
				c.note(value, key+"."+name, "the value is that of your shell; set env.%s", shownKey(name))
			}
		case value.Kind != yaml.ScalarNode:
			c.note(value, key+"."+name, "it is not text, and is left out")
		default:
			c.variable(w, value, name, value.Value)
			c.reference(value, name)
		}
	}
}

// hostIn matches what may be a host name in the value of a variable.
var hostIn = regexp.MustCompile(`(?:^|//|@)([a-z0-9_-]+)(?::[0-9]+|/|$)`)

// reference says if a value names another service of the file, which has another name in the cluster.
func (c *composeFile) reference(n *yaml.Node, key string) {
	m := hostIn.FindStringSubmatch(n.Value)
	if m == nil {
		return
	}
	service := at(c.root, "services", m[1])
	if service != nil && (at(service, "image") != nil || at(service, "build") != nil) {
		c.note(n, key, "it names the service %s; use the name of its Service in the cluster", shownKey(m[1]))
	}
}

func (c *composeFile) envFile(n *yaml.Node, key string) {
	for _, item := range items(n) {
		if item.Kind == yaml.MappingNode {
			item = at(item, "path")
		}
		name := word(item)
		if !plainKey.MatchString(name) {
			name = "FILE"
		}
		c.note(item, key, "the file is not read; norn secrets import %s sets its values as secrets", shownKey(name))
	}
}

func (c *composeFile) serviceVolumes(w *workload, n *yaml.Node, key string) {
	for _, item := range items(n) {
		kind, from, to := "", "", ""
		if item.Kind == yaml.MappingNode {
			kind, from, to = word(at(item, "type")), word(at(item, "source")), word(at(item, "target"))
		} else {
			parts := strings.Split(word(item), ":")
			if from = parts[0]; len(parts) > 1 {
				to = parts[1]
			} else {
				from, to = "", parts[0]
			}
		}
		switch {
		case len(c.unset[item]) > 0:
			c.note(item, key, "it refers to a variable without a value, and is left out")
		case kind == "tmpfs":
			c.note(item, key, "mount an emptyDir in an overlay")
		case kind == "bind" || strings.HasPrefix(from, ".") || strings.HasPrefix(from, "/") || strings.HasPrefix(from, "~"):
			c.note(item, key, "a cluster has no folder of this machine; copy the files into the image, or use a volume")
		case from == "":
			c.note(item, key, "the volume has no name, and is left out; add it under volumes if its data must stay")
		case at(c.root, "volumes", from, "driver_opts") != nil || truth(at(c.root, "volumes", from, "external")):
			c.note(item, key, "the volume is external or has options; add it under volumes with size and class")
		default:
			c.mount(w, item, volume{name: from, mountPath: c.text(optionalCopy(item, to), key)})
		}
	}
}

// optionalCopy returns text of a node as a scalar in the same line.
func optionalCopy(n *yaml.Node, text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: n.Line}
}

func (c *composeFile) deploy(w *workload, n *yaml.Node, key string) {
	for k, v := range pairs(n) {
		switch k.Value {
		case "replicas":
			w.replicas = whole(v, 0, 10000)
		case "restart_policy":
			if word(at(v, "condition")) == "none" {
				c.note(v, key+".restart_policy", "norn restarts a process that ends; for one that runs once, use role: cron")
			}
		case "resources":
			for kind, list := range map[string]*[]pair{"limits": &w.limits, "reservations": &w.requests} {
				inner := key + ".resources." + kind
				limit(list, "cpu", c.cpu(at(v, kind, "cpus"), inner+".cpus"))
				limit(list, "memory", c.memory(at(v, kind, "memory"), inner+".memory", ""))
				if d := at(v, kind, "devices"); d != nil {
					c.note(d, inner+".devices", "set a resource such as nvidia.com/gpu under resources.limits")
				}
			}
		default:
			c.note(v, key+"."+k.Value, "norn has no such setting")
		}
	}
}

// requestWithinLimit drops a request above its limit, which Kubernetes refuses.
func (c *composeFile) requestWithinLimit(w *workload, one *composeService) {
	w.requests = slices.DeleteFunc(w.requests, func(r pair) bool {
		above := slices.ContainsFunc(w.limits, func(l pair) bool {
			request, max := infraspec.Quantity(r.value).Value(), infraspec.Quantity(l.value).Value()
			return l.name == r.name && request.Cmp(max) > 0
		})
		if above {
			c.note(one.key, "services."+one.name, "the reserved %s is more than its limit, and is left out", r.name)
		}
		return above
	})
}

// rest names the keys of the file that have no counterpart.
func (c *composeFile) rest() {
	for k := range pairs(c.root) {
		switch k.Value {
		case "name", "services", "version", "volumes", "networks":
		case "include":
			c.note(k, "include", "other files are not read; convert the output of docker compose config instead")
		case "secrets", "configs":
			c.note(k, k.Value, "norn writes no files; values go to secrets.enc.yaml")
		default:
			if !strings.HasPrefix(k.Value, "x-") {
				c.note(k, k.Value, "norn has no such setting")
			}
		}
	}
}
