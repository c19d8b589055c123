package scaffold

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// kamalFile converts a config/deploy.yml (kamal-deploy.org/docs/configuration).
type kamalFile struct {
	*draft
	root *yaml.Node
}

// kamalPort is the port that kamal-proxy asks by default.
const kamalPort = 80

// fromKamal converts the text of a deploy.yml. Paths are relative to the folder above config.
func fromKamal(file, folder string, data []byte) (string, []string, error) {
	s := &sourceFile{file: file, refs: map[*yaml.Node][]string{}, unset: map[*yaml.Node][]string{}}
	root, err := s.parseYAML(data)
	if err != nil {
		return "", nil, err
	}
	if at(root, "servers") == nil && at(root, "service") == nil {
		return "", nil, s.errorf(0, "the file has neither service nor servers")
	}
	if filepath.Base(folder) == "config" {
		folder = filepath.Dir(folder)
	}
	s.markERB(root)
	k := &kamalFile{&draft{sourceFile: s}, root}
	k.setName(at(root, "service"), "service",
		cmp.Or(k.text(at(root, "service"), "service"), appName(filepath.Base(folder))))
	k.roles()
	k.env(&k.main, at(root, "env"), "env")
	k.proxy(&k.main, at(root, "proxy"), "proxy")
	k.volumesOf()
	k.builder()
	k.retain = whole(at(root, "retain_containers"), 1, 10000)
	for _, w := range append([]*workload{&k.main}, k.others...) {
		w.stop = cmp.Or(w.stop, k.seconds(at(root, "stop_wait_time"), "stop_wait_time", time.Second))
	}
	k.entrypoint(folder)
	k.rest()
	return k.finish()
}

// markERB marks scalars with Ruby code, whose value is not in the file.
func (s *sourceFile) markERB(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "<%") {
		s.unset[n] = []string{"ERB"}
	}
	for _, c := range n.Content {
		s.markERB(c)
	}
}

// roles makes the primary role the main process, and the others its processes.
func (k *kamalFile) roles() {
	servers := at(k.root, "servers")
	k.main.role, k.main.port = infraspec.Webserver, kamalPort
	if servers == nil || servers.Kind != yaml.MappingNode {
		k.hosts(&k.main, servers)
		return
	}
	primary := cmp.Or(word(at(k.root, "primary_role")), "web")
	if at(servers, primary) == nil && len(servers.Content) > 0 {
		primary = servers.Content[0].Value
		k.main.role, k.main.port = infraspec.Worker, 0
	}
	for name, v := range pairs(servers) {
		key, w := "servers."+name.Value, &k.main
		if name.Value != primary {
			before := len(k.others)
			if w = k.process(name.Value); len(k.others) == before {
				k.note(name, key, "another process has the same name in norn; rename it")
				continue
			}
		}
		k.role(w, v, key)
	}
}

func (k *kamalFile) role(w *workload, n *yaml.Node, key string) {
	if n.Kind != yaml.MappingNode {
		k.hosts(w, n)
		return
	}
	for name, v := range pairs(n) {
		inner := key + "." + name.Value
		switch name.Value {
		case "hosts":
			k.hosts(w, v)
		case "cmd":
			w.command = k.line(v, inner)
		case "env":
			k.env(w, v, inner)
		case "options":
			k.options(w, v, inner)
		case "stop_wait_time":
			w.stop = k.seconds(v, inner, time.Second)
		case "proxy":
			k.roleProxy(w, v, inner)
		case "asset_path", "logging", "labels", "tags":
		default:
			k.note(name, inner, "norn has no such setting")
		}
	}
}

// roleProxy turns the proxy of a role on or off, or sets it up.
func (k *kamalFile) roleProxy(w *workload, n *yaml.Node, key string) {
	switch {
	case word(n) == "false":
		w.role, w.port, w.health = infraspec.Worker, 0, nil
	case w != &k.main:
		w.role, w.port = infraspec.Webserver, kamalPort
		k.proxy(w, at(k.root, "proxy"), "proxy")
		k.proxy(w, n, key)
	default:
		k.proxy(w, n, key)
	}
}

// hosts counts the servers of a role: each runs one container.
func (k *kamalFile) hosts(w *workload, n *yaml.Node) {
	if w.replicas = len(items(n)); w.replicas > 1 {
		k.note(n, "servers", "the cluster chooses the nodes; each of the %d servers became a replica", w.replicas)
	}
}

func (k *kamalFile) env(w *workload, n *yaml.Node, key string) {
	clear, secret := at(n, "clear"), at(n, "secret")
	if clear == nil && secret == nil && at(n, "tags") == nil {
		clear = n
	}
	for name, v := range pairs(clear) {
		if v.Kind == yaml.ScalarNode && !isNull(v) {
			k.variable(w, v, name.Value, v.Value)
		} else if !isNull(v) {
			k.note(v, key, "an entry is not text, and is left out")
		}
	}
	for _, v := range items(secret) {
		name, _, _ := strings.Cut(word(v), ":") // NAME:ALIAS
		if len(k.unset[v]) > 0 {
			name = ""
		}
		k.secret(v, name, "its value is in .kamal/secrets")
	}
	if tags := at(n, "tags"); tags != nil {
		k.note(tags, key+".tags", "the Pods of a process have the same variables; make a process for others")
	}
}

// proxy converts the settings of kamal-proxy. It checks /up by default.
func (k *kamalFile) proxy(w *workload, n *yaml.Node, key string) {
	if w.role != infraspec.Webserver {
		return
	}
	if port := at(n, "app_port"); port != nil {
		w.port = cmp.Or(k.portAt(port, key+".app_port"), w.port)
	}
	check, inner := at(n, "healthcheck"), key+".healthcheck"
	if old := at(k.root, "healthcheck"); check == nil && old != nil { // Kamal 1
		check, inner = old, "healthcheck"
		if port := at(old, "port"); port != nil {
			w.port = cmp.Or(k.portAt(port, inner+".port"), w.port)
		}
	}
	checkPath := cmp.Or(k.text(at(check, "path"), inner+".path"), "/up")
	if !strings.HasPrefix(checkPath, "/") {
		checkPath = "/" + checkPath
	}
	if w.health == nil || check != nil {
		w.health = w.check(checkPath, 0, "", k.seconds(at(check, "interval"), inner+".interval", time.Second))
	}
	for name, v := range pairs(n) {
		switch name.Value {
		case "app_port", "healthcheck":
		case "host":
			k.host(w, v, key+".host")
		case "hosts":
			for _, host := range items(v) {
				k.host(w, host, key+".hosts")
			}
		case "ssl", "ssl_redirect", "forward_headers":
			k.note(v, key+"."+name.Value, "TLS is that of the tunnel or the Ingress")
		default:
			k.note(v, key+"."+name.Value, "set it in the tunnel or the Ingress")
		}
	}
}

// options converts options of docker run.
func (k *kamalFile) options(w *workload, n *yaml.Node, key string) {
	for name, v := range pairs(n) {
		switch inner := key + "." + name.Value; name.Value {
		case "memory":
			limit(&w.limits, "memory", k.memory(v, inner, ""))
		case "cpus":
			limit(&w.limits, "cpu", k.cpu(v, inner))
		default:
			k.note(name, inner, "norn has no such setting; set the Pod's field in an overlay if the app needs it")
		}
	}
}

// volumesOf gives the main process the volumes, and the others the same ones, as Kamal does.
func (k *kamalFile) volumesOf() {
	for _, n := range items(at(k.root, "volumes")) {
		parts := strings.Split(k.text(n, "volumes"), ":")
		switch {
		case len(parts) < 2:
			k.note(n, "volumes", "it has no name and path, and is left out")
		case strings.HasPrefix(parts[0], "/") || strings.HasPrefix(parts[0], "."):
			k.note(n, "volumes", "it is a folder of the server; use a volume with a size, or hostPath for a folder of the node")
		default:
			for _, w := range append([]*workload{&k.main}, k.others...) {
				k.mount(w, n, volume{name: parts[0], mountPath: parts[1]})
			}
		}
	}
}

func (k *kamalFile) builder() {
	for name, v := range pairs(at(k.root, "builder")) {
		switch key := "builder." + name.Value; name.Value {
		case "dockerfile":
			k.dockerfile = k.inside(v, key, ".")
		case "context":
			if k.context = k.inside(v, key, "."); k.context == "." {
				k.context = ""
			}
		case "target":
			k.target = k.text(v, key)
		case "args":
			k.buildArgs(v, key)
		case "arch", "multiarch":
			k.note(v, key, "norn builds for the platform of the nodes; set build.platforms for others")
		case "secrets", "ssh":
			k.note(v, key, "norn gives a build no secrets")
		case "local", "remote", "driver", "cache":
			k.note(v, key, "norn builds on this machine; choose the builder with NORN_BUILDER")
		default:
			k.note(v, key, "norn has no such setting")
		}
	}
}

// rest names the keys that have no counterpart.
func (k *kamalFile) rest() {
	why := map[string]string{
		"service": "", "servers": "", "env": "", "proxy": "", "volumes": "", "builder": "", "primary_role": "",
		"healthcheck": "", "retain_containers": "", "stop_wait_time": "", "minimum_version": "", "aliases": "", "ssh": "",
		"sshkit": "", "logging": "", "allow_empty_roles": "", "run_directory": "", "secrets_path": "",
		"image":               "norn names the image after the app, in NORN_REGISTRY_URL",
		"registry":            "set NORN_REGISTRY_URL, and log in with docker login",
		"asset_path":          "norn keeps no assets of old versions; serve them from a CDN or a bucket",
		"labels":              "set pod.labels",
		"boot":                "norn replaces Pods one after the other",
		"hooks_path":          "use the CI job around norn deploy, build.test and migrations.command",
		"traefik":             "set hosts.external for a public host, or create an Ingress",
		"require_destination": "describe destinations under environments",
		"deploy_timeout":      "use norn deploy --timeout",
		"drain_timeout":       "set drain",
		"readiness_delay":     "norn waits for the health check",
	}
	for name, v := range pairs(k.root) {
		reason, known := why[name.Value]
		switch {
		case strings.HasPrefix(name.Value, "x-"):
		case name.Value == "accessories":
			for accessory := range pairs(v) {
				k.note(accessory, "accessories."+accessory.Value, "use a chart, an operator or a service elsewhere")
			}
		case !known:
			k.note(name, name.Value, "norn has no such setting")
		case reason != "":
			k.note(name, name.Value, "%s", reason)
		}
	}
	if found, _ := filepath.Glob(filepath.Join(filepath.Dir(k.file), "deploy.*.yml")); len(found) > 0 {
		others := slices.DeleteFunc(found, func(path string) bool { return filepath.Base(path) == filepath.Base(k.file) })
		if len(others) > 0 {
			k.note(nil, "", "the files of other destinations are not read; describe them under environments")
		}
	}
}
