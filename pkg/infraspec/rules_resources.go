package infraspec

import (
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

func (d *decoder) volumes(s *Spec) {
	names, mounts := map[string]bool{}, map[string]bool{}
	for i, v := range s.Volumes {
		key := element("volumes", i)
		if !d.has(key) {
			continue // empty, already reported
		}
		switch claim := s.App + "-" + v.Name; {
		case v.Name == "":
		case len(validation.IsDNS1123Label(v.Name)) > 0:
			d.at(key+".name", Error, RuleName, "volume name %s is not a DNS label; %s", quoted(v.Name), dnsLabel)
		case names[v.Name]:
			d.at(key+".name", Error, RuleTwice, "volume name %s is used twice", quoted(v.Name))
		case v.HostPath == "" && len(claim) > validation.DNS1123LabelMaxLength:
			d.at(key+".name", Warning, RuleName, "PersistentVolumeClaim name %s has %d characters; "+
				"some storage drivers accept at most 63", quoted(claim), len(claim))
		}
		names[v.Name] = true
		d.mount(key, v, mounts)
		d.backing(key, v)
		d.access(key, v)
	}
	d.claims(s)
}

// mount checks a volume's mountPath by the rules of Kubernetes (k8s.io/kubernetes: ValidateVolumeMounts).
func (d *decoder) mount(key string, v Volume, taken map[string]bool) {
	at, clean := key+".mountPath", path.Clean(v.MountPath)
	switch {
	case v.MountPath == "":
		return // already reported
	case !path.IsAbs(v.MountPath):
		d.at(at, Error, RulePath, "%s %s must be absolute, such as /data", at, quoted(v.MountPath))
	case clean == "/":
		d.at(at, Error, RulePath, "%s must not be /, the container's root", at)
	case strings.Contains(v.MountPath, ":"):
		d.at(at, Error, RulePath, "%s %s must not contain ':'", at, quoted(v.MountPath))
	case taken[clean]:
		d.at(at, Error, RuleTwice, "two volumes are mounted at %s", clean)
	}
	taken[clean] = true
}

// backing checks that a volume has a size or a hostPath.
func (d *decoder) backing(key string, v Volume) {
	switch {
	case !d.has(key+".size") && v.HostPath == "":
		d.at(key, Error, RuleVolumeBacking, "%s needs a size (for a PersistentVolumeClaim) or a hostPath", key)
	case v.HostPath != "" && v.Size != "":
		d.at(key+".size", Warning, RuleVolumeBacking, "%s sets both size and hostPath; hostPath wins", key)
	case v.Size != "":
		if q := v.Size.Value(); q.Sign() == 0 {
			d.at(key+".size", Error, RuleQuantity, "%s.size must be more than 0", key)
		}
		d.milliSuffix(key+".size", v.Size)
	}
	at := key + ".hostPath"
	switch {
	case v.HostPath == "":
	case !path.IsAbs(v.HostPath):
		d.at(at, Error, RulePath, "%s %s must be absolute", at, quoted(v.HostPath))
	case slices.Contains(strings.Split(v.HostPath, "/"), ".."):
		d.at(at, Error, RulePath, "%s %s must not contain '..'", at, quoted(v.HostPath))
	case reserved(v.HostPath) != "":
		d.at(at, Error, RuleHostPath, "%s %s gives the app control of its node (%s is reserved); "+
			"use a folder of its own, or size", at, quoted(v.HostPath), reserved(v.HostPath))
	}
}

// standardResources are the resources without a domain that a container can request (kubernetes.io: Managing Resources
// for Containers).
var standardResources = []string{"cpu", "memory", "ephemeral-storage"}

func (d *decoder) resources(s *Spec) {
	for _, list := range []struct {
		key     string
		amounts map[string]Quantity
	}{{"resources.requests", s.Resources.Requests}, {"resources.limits", s.Resources.Limits}} {
		for _, name := range slices.Sorted(maps.Keys(list.amounts)) {
			d.amount(list.key+"."+name, name, list.amounts[name])
		}
	}
	d.unsharedResources(s)
	for name, request := range s.Resources.Requests {
		limit := s.Resources.Limits[name]
		if request == "" || limit == "" || !shared(name) {
			continue
		}
		if r := request.Value(); r.Cmp(limit.Value()) > 0 {
			d.at("resources.requests."+name, Error, RuleQuantity, "resources.requests.%s is %s, more than its limit of %s",
				name, request, limit)
		}
	}
}

func (d *decoder) amount(key, name string, q Quantity) {
	standard := slices.Contains(standardResources, name) || strings.HasPrefix(name, "hugepages-")
	switch {
	case !standard && (!strings.Contains(name, "/") || len(validation.IsQualifiedName(name)) > 0):
		d.atKey(key, Error, RuleChoice, "unknown resource; use cpu, memory, ephemeral-storage or a name with a domain%s",
			didYouMean(name, standardResources))
	case q == "": // empty, or invalid and already reported
		if !d.has(key) {
			d.atKey(key, Error, RuleQuantity, "%s is empty", key)
		}
	case name != "cpu":
		d.milliSuffix(key, q)
	}
}

// milliSuffix rejects the suffix m on anything but cpu: the author most likely meant Mi.
func (d *decoder) milliSuffix(key string, q Quantity) {
	if strings.HasSuffix(string(q), "m") {
		d.at(key, Error, RuleQuantity, "%s: the suffix m in %s means thousandths; did you mean %q?",
			key, q, strings.TrimSuffix(string(q), "m")+"Mi")
	}
}

// unsharedResources checks resources that cannot be shared: they are whole numbers, and the request must equal the
// limit (kubernetes.io: Extended Resources, Manage HugePages).
func (d *decoder) unsharedResources(s *Spec) {
	for _, name := range slices.Sorted(maps.Keys(s.Resources.Requests)) {
		if request, limit := s.Resources.Requests[name], s.Resources.Limits[name]; shared(name) || request == "" {
			continue
		} else if limit == "" {
			d.at("resources.requests."+name, Error, RuleQuantity, "resources.limits.%s is missing; it must equal the request",
				name)
		} else if q := request.Value(); q.Cmp(limit.Value()) != 0 {
			d.at("resources.requests."+name, Error, RuleQuantity, "resources.requests.%s must equal its limit, %s", name, limit)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Resources.Limits)) {
		if limit := s.Resources.Limits[name]; !shared(name) && limit != "" {
			if q := limit.Value(); q.MilliValue()%1000 != 0 {
				d.at("resources.limits."+name, Error, RuleQuantity, "resources.limits.%s must be a whole number", name)
			}
		}
	}
}

// shared reports whether containers can share a resource, unlike hugepages and the resources of device plugins.
func shared(name string) bool {
	return !strings.HasPrefix(name, "hugepages-") && !strings.Contains(name, "/")
}
