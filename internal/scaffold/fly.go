package scaffold

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// flyGroup is the process group of an app without [processes] (fly.io/docs/reference/configuration).
const flyGroup = "app"

// flyConfig converts a fly.toml.
type flyConfig struct {
	*draft
	root   *yaml.Node
	groups map[string]*workload
}

// fromFly converts the text of a fly.toml in a folder.
func fromFly(file, folder string, data []byte) (string, []string, error) {
	s := &sourceFile{file: file}
	root, err := s.parseTOML(data)
	if err != nil {
		return "", nil, err
	}
	f := &flyConfig{&draft{sourceFile: s}, root, map[string]*workload{}}
	if len(root.Content) == 0 {
		return "", nil, s.errorf(0, "the file has no settings")
	}
	f.setName(at(root, "app"), "app", cmp.Or(word(at(root, "app")), appName(filepath.Base(folder))))
	f.processes()
	f.build()
	for _, w := range f.all("") {
		for k, v := range pairs(at(root, "env")) {
			if w.name == "" {
				f.variable(w, v, k.Value, v.Value)
			}
		}
	}
	f.services()
	f.checks(at(root, "checks"), "checks")
	f.mounts()
	f.machines()
	f.migration = f.line(at(root, "deploy", "release_command"), "deploy.release_command")
	f.stop()
	f.entrypoint(folder)
	f.rest(root)
	f.note(nil, "", "the secrets of fly secrets are not in the file; list their names under secrets and set them with "+
		"norn secrets set")
	return f.finish()
}

// processes makes the group that gets requests the main process.
func (f *flyConfig) processes() {
	main := flyGroup
	var names []string
	for k := range pairs(at(f.root, "processes")) {
		names = append(names, k.Value)
	}
	if len(names) > 0 && !slices.Contains(names, main) {
		main = names[0]
	}
	for _, service := range append(items(at(f.root, "http_service")), items(at(f.root, "services"))...) {
		if group := items(at(service, "processes")); len(group) > 0 && slices.Contains(names, word(group[0])) {
			main = word(group[0])
			break
		}
	}
	f.main.role = infraspec.Worker
	f.groups[main] = &f.main
	for k, v := range pairs(at(f.root, "processes")) {
		w := &f.main
		if k.Value != main {
			w = f.process(k.Value)
			f.groups[k.Value] = w
		}
		w.command = f.line(v, "processes."+k.Value)
	}
}

// all returns the workloads that a table applies to: those of its key processes, or all.
func (f *flyConfig) all(key string, table ...*yaml.Node) []*workload {
	var some []*workload
	for _, t := range table {
		for _, group := range items(at(t, "processes")) {
			if w := f.groups[word(group)]; w != nil {
				some = append(some, w)
			} else {
				f.note(group, key+".processes", "the file has no such process")
			}
		}
	}
	if len(some) == 0 {
		some = append([]*workload{&f.main}, f.others...)
	}
	return some
}

func (f *flyConfig) build() {
	for k, v := range pairs(at(f.root, "build")) {
		switch key := "build." + k.Value; k.Value {
		case "dockerfile":
			f.dockerfile = f.inside(v, key, ".")
		case "build-target":
			f.target = f.text(v, key)
		case "args":
			f.buildArgs(v, key)
		case "image":
			f.note(v, key, "norn builds the image from a Dockerfile; deploy another image with norn deploy --image")
		case "builder", "buildpacks", "builtin":
			f.note(v, key, "norn builds from a Dockerfile, not with buildpacks; write a Dockerfile")
		default:
			f.note(v, key, "norn has no such setting")
		}
	}
}

// services gives each process its port. The first service of a process counts.
func (f *flyConfig) services() {
	for _, service := range items(at(f.root, "http_service")) {
		f.service(service, "http_service")
	}
	for _, service := range items(at(f.root, "services")) {
		f.service(service, "services")
	}
	if f.main.port == 0 && len(f.main.env) > 0 { // fly.io passes the port on only in this way
		for _, p := range f.main.env {
			if port, err := strconv.Atoi(p.value); p.name == "PORT" && err == nil && port > 0 && port < 65536 {
				f.main.port, f.main.role = port, infraspec.Webserver
			}
		}
	}
}

// service applies a service to its processes, or to the main one.
func (f *flyConfig) service(n *yaml.Node, key string) {
	if at(n, "processes") == nil {
		f.serviceOf(&f.main, n, key)
		return
	}
	for _, w := range f.all(key, n) {
		f.serviceOf(w, n, key)
	}
}

func (f *flyConfig) serviceOf(w *workload, n *yaml.Node, key string) {
	if strings.EqualFold(word(at(n, "protocol")), "udp") {
		f.note(at(n, "protocol"), key+".protocol", "norn's Services are for TCP; create a Service for UDP yourself")
		return
	}
	port := 8080 // fly.io's default
	if p := at(n, "internal_port"); p != nil {
		port = cmp.Or(f.portAt(p, key+".internal_port"), port)
	}
	if w.port != 0 && w.port != port {
		f.note(n, key, "a process has one port in norn; the process gets only the first; add a Service yourself")
		return
	}
	w.port, w.role = port, infraspec.Webserver
	for k, v := range pairs(n) {
		switch inner := key + "." + k.Value; k.Value {
		case "internal_port", "protocol", "processes", "force_https", "ports", "auto_start_machines": // Ingress or tunnel
		case "checks", "http_checks", "tcp_checks":
			for _, check := range items(v) {
				f.checkOf(w, check, inner, k.Value == "tcp_checks")
			}
		case "min_machines_running":
			w.replicas = whole(v, 0, 10000)
		case "auto_stop_machines":
			if !slices.Contains([]string{"off", "false"}, word(v)) {
				f.note(v, inner, "norn's Pods run all the time; it does not stop idle ones")
			}
		case "concurrency":
			f.note(v, inner, "norn does not scale; create a HorizontalPodAutoscaler for the Deployment")
		default:
			f.note(v, inner, "norn has no such setting")
		}
	}
	if at(n, "force_https") != nil || at(n, "ports") != nil {
		f.note(n, key, "the public ports and TLS are those of the tunnel or the Ingress; set hosts.external")
	}
}

// checks applies the checks at the top of the file, each of which has a name.
func (f *flyConfig) checks(n *yaml.Node, key string) {
	for k, v := range pairs(n) {
		inner := key + "." + k.Value
		for _, w := range f.all(inner, v)[:1] {
			f.checkOf(w, v, inner, word(at(v, "type")) == "tcp")
		}
	}
}

func (f *flyConfig) checkOf(w *workload, n *yaml.Node, key string, tcp bool) {
	if w.health != nil {
		f.note(n, key, "norn has one health check for a process, and the first counts")
		return
	}
	checkPath, port := "", 0
	if !tcp {
		if checkPath = f.text(at(n, "path"), key+".path"); checkPath == "" {
			checkPath = "/"
		}
		if !strings.HasPrefix(checkPath, "/") {
			checkPath = "/" + checkPath
		}
	}
	if p := at(n, "port"); p != nil {
		port = f.portAt(p, key+".port")
	}
	w.health = w.check(checkPath, port, f.seconds(at(n, "grace_period"), key+".grace_period", time.Millisecond),
		f.seconds(at(n, "interval"), key+".interval", time.Millisecond))
	if w.health == nil {
		f.note(n, key, "the process has no port to check; the check is left out")
	}
	if m := word(at(n, "method")); m != "" && !strings.EqualFold(m, "get") {
		f.note(at(n, "method"), key+".method", "norn's check is a GET")
	}
	for _, other := range []string{"headers", "protocol", "tls_skip_verify", "tls_server_name"} {
		if v := at(n, other); v != nil && word(v) != "http" {
			f.note(v, key+"."+other, "norn's check has no such setting")
		}
	}
}

func (f *flyConfig) mounts() {
	for _, n := range items(at(f.root, "mounts")) {
		size := ""
		if v := at(n, "initial_size"); v != nil {
			size = f.memory(v, "mounts.initial_size", "g")
		}
		name := cmp.Or(f.text(at(n, "source"), "mounts.source"), "data")
		for _, w := range f.all("mounts", n) {
			if w == &f.main || at(n, "processes") != nil {
				f.mount(w, n, volume{name: name, mountPath: word(at(n, "destination")), size: size})
			}
		}
		for k, v := range pairs(n) {
			if !slices.Contains([]string{"source", "destination", "initial_size", "processes"}, k.Value) {
				f.note(v, "mounts."+k.Value, "norn has no such setting; snapshots and growth are those of the StorageClass")
			}
		}
	}
}

// flySize matches sizes of machines, such as shared-cpu-2x (fly.io/docs/about/pricing).
var flySize = regexp.MustCompile(`^(shared-cpu|performance)-([1-9][0-9]?)x$`)

// machines converts [[vm]] to resources.
func (f *flyConfig) machines() {
	for _, n := range items(at(f.root, "vm")) {
		for _, w := range f.all("vm", n) {
			f.machine(w, n)
		}
	}
}

func (f *flyConfig) machine(w *workload, n *yaml.Node) {
	for k, v := range pairs(n) {
		switch key := "vm." + k.Value; k.Value {
		case "memory":
			f.reserve(w, f.memory(v, key, "m"))
		case "memory_mb":
			f.reserve(w, f.memory(v, key, "m"))
		case "cpus":
			if cpus := f.cpu(v, key); cpus != "" && word(at(n, "cpu_kind")) == "performance" {
				limit(&w.requests, "cpu", cpus)
			}
		case "size", "cpu_kind", "processes":
		default:
			f.note(v, key, "norn has no such setting; use pod.nodeSelector and resources to choose nodes")
		}
	}
	size := at(n, "size")
	if m := flySize.FindStringSubmatch(word(size)); m != nil {
		cpus, _ := strconv.Atoi(m[2])
		if m[1] == "performance" {
			limit(&w.requests, "cpu", m[2])
			f.reserve(w, strconv.Itoa(2*cpus)+"Gi")
		} else {
			f.reserve(w, strconv.Itoa(256*cpus)+"Mi")
		}
	} else if size != nil {
		f.note(size, "vm.size", "the size is unknown; set resources")
	}
	if strings.HasPrefix(word(size), "shared") || word(at(n, "cpu_kind")) == "shared" {
		f.note(n, "vm", "only the memory is carried over; set resources.requests.cpu to what the app needs")
	}
}

// reserve sets memory as request and limit, as a machine has neither more nor less.
func (f *flyConfig) reserve(w *workload, amount string) {
	limit(&w.requests, "memory", amount)
	limit(&w.limits, "memory", amount)
}

func (f *flyConfig) stop() {
	after := f.seconds(at(f.root, "kill_timeout"), "kill_timeout", time.Second)
	for _, w := range f.all("") {
		w.stop = after
	}
	if v := at(f.root, "kill_signal"); v != nil && word(v) != "SIGTERM" {
		f.note(v, "kill_signal", "Kubernetes sends SIGTERM; set STOPSIGNAL in the Dockerfile for another signal")
	}
}

// rest names the tables that have no counterpart.
func (f *flyConfig) rest(root *yaml.Node) {
	why := map[string]string{
		"app": "", "build": "", "env": "", "processes": "", "http_service": "", "services": "", "checks": "", "mounts": "",
		"vm": "", "kill_timeout": "", "kill_signal": "", "deploy": "", "restart": "",
		"primary_region":  "the cluster chooses the node; use pod.nodeSelector to choose a region",
		"statics":         "norn serves no files; let the app or an Ingress serve them",
		"metrics":         "let Prometheus find the Pods with pod.annotations",
		"files":           "norn writes no files; put them into the image, or mount them in an overlay",
		"experimental":    "norn has no such settings; command replaces the entrypoint",
		"console_command": "use norn run APP -- CMD",
		"swap_size_mb":    "Kubernetes has no swap for a container; raise resources.limits.memory",
	}
	for k := range pairs(root) {
		reason, known := why[k.Value]
		switch {
		case !known:
			f.note(k, k.Value, "norn has no such setting")
		case reason != "":
			f.note(k, k.Value, "%s", reason)
		}
	}
	for k, v := range pairs(at(root, "deploy")) {
		switch k.Value {
		case "release_command":
		case "strategy":
			if word(v) != "rolling" {
				f.note(v, "deploy.strategy", "norn replaces Pods one after the other, and with a volume all at once")
			}
		default:
			f.note(v, "deploy."+k.Value, "norn has no such setting")
		}
	}
}
