package infraspec

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Process is a further process of the app: a workload of its own, with the app's image, env, secrets, services and pod
// settings. It does not inherit the app's command, resources, volumes and healthcheck.
type Process struct {
	// Role is the kind of workload: a webserver has a port, a worker has none, and a cron process runs on a schedule.
	Role Role `yaml:"role" jsonschema:"default=worker,enum=webserver,enum=worker,enum=cron"`
	// Command replaces the image's entrypoint. norn runs a string with /bin/sh -c, and a list as it is.
	Command Command `yaml:"command"`
	// Port is the port that the container listens on. Required for a webserver.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
	// Healthcheck is how Kubernetes checks the process: an HTTP path, such as /healthz, or a mapping.
	Healthcheck Healthcheck `yaml:"healthcheck"`
	// Replicas is the number of pods of a webserver or a worker.
	Replicas int `yaml:"replicas" jsonschema:"default=1,minimum=0,maximum=10000"`
	// Schedule is when a cron process runs, in cron syntax: "0 3 * * *", or "@daily". Required for a cron process.
	Schedule string `yaml:"schedule"`
	// Timezone is the time zone of schedule, such as Europe/Berlin. The default is the cluster's, which is mostly UTC.
	Timezone string `yaml:"timezone"`
	// Timeout is the time limit of one run of a cron process.
	Timeout Seconds `yaml:"timeout"`
	// Drain is how long a webserver's Pod still answers after it has left the Service. 0s turns it off.
	Drain Delay `yaml:"drain" jsonschema:"default=5s"`
	// Stop is how long the process may take to end after SIGTERM. Kubernetes then kills it.
	Stop Seconds `yaml:"stop" jsonschema:"default=30s"`
	// Resources are the container's requests and limits in Kubernetes.
	Resources Resources `yaml:"resources"`
	// Env are plain environment variables, in addition to the app's. A variable of the same name replaces the app's.
	Env map[string]string `yaml:"env"`
	// Volumes are the names of the app's volumes that the process mounts. By default, it mounts no volume.
	Volumes []string `yaml:"volumes"`
	// Hosts are the process's host names.
	Hosts ProcessHosts `yaml:"hosts"`
}

// ProcessHosts are the host names of a process.
type ProcessHosts struct {
	// Internal is the name of the Service of a webserver process inside the cluster.
	Internal string `yaml:"internal" jsonschema:"pattern=^([a-z]([-a-z0-9]*[a-z0-9])?)?$,maxLength=63"`
}

// MainProcess is the name of an app's main process in commands and messages. No other process can have it.
const MainProcess = "main"

// WorkloadName returns the name of the objects of a process of an app. The process of the main one is "".
func WorkloadName(app, process string) string {
	if process == "" {
		return app
	}
	return app + "-" + process
}

// Workload returns the name of the workload that the spec describes: the app's, or that of its process.
func (s *Spec) Workload() string { return WorkloadName(s.App, s.Process) }

// ProcessName returns the name of the process that the spec describes, for commands and messages.
func (s *Spec) ProcessName() string {
	if s.Process == "" {
		return MainProcess
	}
	return s.Process
}

// PathOf returns the path of a key in the infraspec: below the process that the spec describes, or at the top.
func (s *Spec) PathOf(key string) string {
	if s.Process == "" {
		return key
	}
	return join(join("processes", s.Process), key)
}

// Workloads returns a Spec for each workload of the app: s itself for the main process, then those of the other
// processes by name. Keys of a process's Spec, as in Has, are those of the process where it has a key of that name.
func (s *Spec) Workloads() []*Spec {
	all := []*Spec{s}
	if s.Process != "" {
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(s.Processes)) {
		all = append(all, s.process(name))
	}
	return all
}

// ProcessSpec returns the Spec of the process with a name, or nil if the app has none. The names of the main process
// are "" and MainProcess.
func (s *Spec) ProcessSpec(name string) *Spec {
	if name == "" || name == MainProcess {
		return s
	}
	if _, ok := s.Processes[name]; !ok {
		return nil
	}
	return s.process(name)
}

// ProcessNames returns the names of all processes of the app, MainProcess first.
func (s *Spec) ProcessNames() []string {
	return append([]string{MainProcess}, slices.Sorted(maps.Keys(s.Processes))...)
}

func (s *Spec) process(name string) *Spec {
	p, one := s.Processes[name], *s
	one.Process, one.Processes = name, nil
	one.Role, one.Command, one.Port, one.Healthcheck = p.Role, p.Command, p.Port, p.Healthcheck
	one.Replicas, one.Schedule, one.Timezone, one.Timeout = p.Replicas, p.Schedule, p.Timezone, p.Timeout
	one.Drain, one.Stop, one.Resources = p.Drain, p.Stop, p.Resources
	one.Hosts = Hosts{Internal: p.Hosts.Internal}
	one.Route = Route{}
	one.Migrations, one.Verify, one.Function = Migrations{}, nil, FunctionSpec{}
	if len(p.Env) > 0 {
		one.Env = maps.Clone(p.Env)
		for name, value := range s.Env {
			if _, own := p.Env[name]; !own {
				one.Env[name] = value
			}
		}
	}
	one.Volumes = nil
	for _, name := range p.Volumes {
		if i := slices.IndexFunc(s.Volumes, func(v Volume) bool { return v.Name == name }); i >= 0 {
			one.Volumes = append(one.Volumes, s.Volumes[i])
		}
	}
	if s.doc != nil {
		one.doc = s.doc.of(name)
	}
	return &one
}

// of returns the document as a process sees it: its own keys stand for those of the app.
func (d *document) of(process string) *document {
	view := *d
	view.process = process
	return &view
}

// processKeys are the keys that a process does not inherit from the app. It adds to env, and names the app's volumes.
var processKeys = func() map[string]bool {
	keys := map[string]bool{}
	for _, f := range fieldsOf(reflect.TypeFor[Process]()) {
		keys[f.name] = f.name != "volumes"
	}
	return keys
}()

// path returns the path in the file of a key: below the process's mapping if the process sets it itself.
func (d *document) path(key string) string {
	first, rest, _ := strings.Cut(key, ".")
	if d.process == "" || !processKeys[first] {
		return key
	}
	own := join(join("processes", d.process), key)
	if _, set := d.keys[own]; first == "env" && rest != "" && !set {
		return key
	}
	return own
}

// ofProcess returns the path of a value below the mapping of a process as if the value were the app's. Other paths stay
// as they are. Names of processes have no dots.
func ofProcess(path string) string {
	below, ok := strings.CutPrefix(path, "processes.")
	if !ok {
		return path
	}
	if _, key, found := strings.Cut(below, "."); found {
		return key
	}
	return path
}
