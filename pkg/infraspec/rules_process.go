package infraspec

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation"
)

// processes checks each process by the rules of an app, and what it shares with the others.
func (d *decoder) processes(s *Spec) {
	if s.Role == Function && len(s.Processes) > 0 {
		d.atKey("processes", Error, RuleProcess, "a function has no processes; give them an app of their own")
	}
	services := map[string]string{s.Hosts.Internal: MainProcess}
	for _, name := range slices.Sorted(maps.Keys(s.Processes)) {
		d.processName(s, name)
		one, p := s.process(name), decoder{document: d.of(name), findings: d.findings}
		p.role(one)
		p.traffic(one)
		p.hosts(one)
		p.variables(one)
		p.commands(one)
		p.timezone(one.Timezone)
		p.resources(one)
		d.findings = p.findings
		d.processVolumes(s, name)
		if host := one.Hosts.Internal; host != "" && services[host] != "" {
			d.at("processes."+name+".hosts.internal", Error, RuleTwice, "hosts.internal %s is also that of process %s",
				quoted(host), services[host])
		} else {
			services[host] = name
		}
	}
}

// processName checks the name of a process, and that of its objects.
func (d *decoder) processName(s *Spec, name string) {
	key, workload := "processes."+name, WorkloadName(s.App, name)
	limit, kind := validation.DNS1123LabelMaxLength, "a Deployment"
	if s.Processes[name].Role == Cron {
		limit, kind = maxCronName, "a CronJob"
	}
	switch {
	case name == MainProcess:
		d.atKey(key, Error, RuleName, "process name %q stands for the app's own process; choose another", name)
	case s.App != "" && len(workload) > limit:
		d.atKey(key, Error, RuleName, "%s is too long for %s of process %s: %d characters, at most %d",
			quoted(workload), kind, name, len(workload), limit)
	}
}

// processVolumes checks the names of volumes that a process mounts, and whether it can share them.
func (d *decoder) processVolumes(s *Spec, process string) {
	var names []string
	for _, v := range s.Volumes {
		names = append(names, v.Name)
	}
	list := s.Processes[process].Volumes
	for i, name := range list {
		key, at := element("processes."+process+".volumes", i), slices.Index(names, name)
		switch {
		case !d.has(key): // empty, already reported
		case at < 0:
			d.at(key, Error, RuleChoice, "volume %s is not one of the app's volumes%s", quoted(name), didYouMean(name, names))
		case slices.Contains(list[:i], name):
			d.at(key, Error, RuleTwice, "volume name %s is used twice", quoted(name))
		case s.Volumes[at].Access == ReadWriteOncePod:
			d.at(key, Error, RuleClaim, "access: ReadWriteOncePod allows one Pod, and the main process mounts this volume; %s",
				shareIt)
		case !s.Volumes[at].Shared():
			d.at(key, Warning, RuleClaim, "the main process mounts this claim (%s) too, so the Pods of both must run on one "+
				"node; each deploy stops them before it starts new ones; %s", s.Volumes[at].Mode(), shareIt)
		}
	}
}

// namesProcess reports whether a key of a mapping of processes is a valid name. Paths of values rely on names without
// dots.
func (d *decoder) namesProcess(p pair, path string) bool {
	if ValidName(p.key.Value) {
		return true
	}
	if p.repeatable() {
		d.show(p.key)
		d.add(p.key, Error, RuleName, "process name %s is not a DNS label; %s", quoted(p.key.Value), dnsLabel)
	} else {
		d.add(p.key, Error, RuleName, "%s: a name is not a DNS label; %s", path, dnsLabel)
	}
	return false
}

// noun returns what the checked keys describe.
func (d *decoder) noun() string {
	if d.process != "" {
		return "process"
	}
	return "app"
}
