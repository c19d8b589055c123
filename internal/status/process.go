package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// Process describes a process of an app other than the main one. An overview has no details.
type Process struct {
	Name string `json:"process"`
	Workload
	Hosts    []string  `json:"hosts,omitempty"`
	Reason   string    `json:"reason,omitempty"` // why some pods are not ready
	Pods     []Pod     `json:"pods,omitempty"`
	Schedule *Schedule `json:"schedule,omitempty"`
}

// processes returns the processes of an app in the infraspec and in the inventory, which may be nil, by name.
func processes(l Local, inv *k8s.Inventory) []Process {
	found := map[string]Process{}
	if inv != nil {
		for _, o := range owned(inv.Deployments, l.Name) {
			found[o.Labels[metadata.ProcessLabel]] = Process{}
		}
		for _, o := range owned(inv.CronJobs, l.Name) {
			found[o.Labels[metadata.ProcessLabel]] = Process{}
		}
	}
	if l.Spec != nil {
		for _, w := range l.Spec.Workloads()[1:] {
			found[w.Process] = Process{Workload: Workload{Role: string(w.Role), State: Unknown}, Hosts: hosts(w)}
		}
	}
	delete(found, "") // the main process
	var out []Process
	for _, name := range slices.Sorted(maps.Keys(found)) {
		p := found[name]
		p.Name = name
		if l.Spec == nil && inv != nil {
			p.Hosts = servicesOf(owned(inv.Services, l.Name), name)
		}
		out = append(out, p)
	}
	return out
}

// servicesOf returns the names of a process's Services. The name of the main process is "".
func servicesOf(services []corev1.Service, process string) []string {
	var names []string
	for _, s := range services {
		if s.Labels[metadata.ProcessLabel] == process {
			names = append(names, s.Name)
		}
	}
	return names
}

// fill adds the state in the cluster to a process, and returns warnings.
func (p *Process) fill(app string, inv *k8s.Inventory) []string {
	name := infraspec.WorkloadName(app, p.Name)
	if d := find(inv.Deployments, app, name); d != nil {
		return p.named(p.deployment(app, d))
	}
	if c := find(inv.CronJobs, app, name); c != nil {
		p.cronJob(app, c)
		return p.named(runWarnings(c, inv.Runs))
	}
	p.State = NotForged
	for i := range inv.Deployments {
		p.terminating(&inv.Deployments[i])
	}
	for i := range inv.CronJobs {
		p.terminating(&inv.CronJobs[i])
	}
	return nil
}

// terminating sets the state of a process whose workload is being deleted.
func (p *Process) terminating(o metav1.Object) {
	if o.GetLabels()[metadata.ProcessLabel] == p.Name && o.GetDeletionTimestamp() != nil {
		p.State, p.Role = Terminating, cmp.Or(p.Role, o.GetLabels()[objects.RoleLabel])
	}
}

// named returns warnings that name the process.
func (p *Process) named(warnings []string) []string {
	for i := range warnings {
		warnings[i] = fmt.Sprintf("process %s: %s", p.Name, warnings[i])
	}
	return warnings
}
