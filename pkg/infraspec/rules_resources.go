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
			continue // empty, which has been said
		}
		switch claim := s.App + "-" + v.Name; {
		case v.Name == "":
		case len(validation.IsDNS1123Label(v.Name)) > 0:
			d.at(key+".name", Error, RuleName, "volume name %s is not a DNS label: lower-case letters, digits and '-' in between, at most 63", quoted(v.Name))
		case names[v.Name]:
			d.at(key+".name", Error, RuleTwice, "volume name %s stands twice", quoted(v.Name))
		case v.HostPath == "" && len(claim) > validation.DNS1123LabelMaxLength:
			d.at(key+".name", Warning, RuleName, "the claim's name %s has %d characters; some storage drivers take no more than 63", quoted(claim), len(claim))
		}
		names[v.Name] = true
		d.mount(key, v, mounts)
		d.backing(key, v)
	}
}

// mount checks where a volume is seen, by the rules of Kubernetes (k8s.io/kubernetes: ValidateVolumeMounts).
func (d *decoder) mount(key string, v Volume, taken map[string]bool) {
	at, clean := key+".mountPath", path.Clean(v.MountPath)
	switch {
	case v.MountPath == "":
		return // missing, which has been said
	case !path.IsAbs(v.MountPath):
		d.at(at, Error, RulePath, "%s %s must be absolute, such as /data", at, quoted(v.MountPath))
	case clean == "/":
		d.at(at, Error, RulePath, "%s cannot be /, which is the container's own", at)
	case strings.Contains(v.MountPath, ":"):
		d.at(at, Error, RulePath, "%s %s must not contain ':'", at, quoted(v.MountPath))
	case taken[clean]:
		d.at(at, Error, RuleTwice, "two volumes are mounted at %s", clean)
	}
	taken[clean] = true
}

// backing checks what is behind a volume: a size or a hostPath.
func (d *decoder) backing(key string, v Volume) {
	switch {
	case !d.has(key+".size") && v.HostPath == "":
		d.at(key, Error, RuleVolumeBacking, "%s needs a size (for a PersistentVolumeClaim) or a hostPath", key)
	case v.HostPath != "" && v.Size != "":
		d.at(key+".size", Warning, RuleVolumeBacking, "%s has a size and a hostPath; hostPath wins", key)
	case v.Size != "":
		if q := v.Size.Value(); q.Sign() == 0 {
			d.at(key+".size", Error, RuleQuantity, "%s.size must be more than 0", key)
		}
		d.thousandths(key+".size", v.Size)
	}
	at := key + ".hostPath"
	switch {
	case v.HostPath == "":
	case !path.IsAbs(v.HostPath):
		d.at(at, Error, RulePath, "%s %s must be absolute", at, quoted(v.HostPath))
	case slices.Contains(strings.Split(v.HostPath, "/"), ".."):
		d.at(at, Error, RulePath, "%s %s must not contain '..'", at, quoted(v.HostPath))
	}
}

// standardResources are the ones without a domain that a container may ask for (kubernetes.io: Managing Resources for Containers).
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
	d.overcommit(s)
	for name, request := range s.Resources.Requests {
		limit := s.Resources.Limits[name]
		if request == "" || limit == "" || !shared(name) {
			continue
		}
		if r := request.Value(); r.Cmp(limit.Value()) > 0 {
			d.at("resources.requests."+name, Error, RuleQuantity, "resources.requests.%s is %s, more than its limit of %s", name, request, limit)
		}
	}
}

func (d *decoder) amount(key, name string, q Quantity) {
	standard := slices.Contains(standardResources, name) || strings.HasPrefix(name, "hugepages-")
	switch {
	case !standard && (!strings.Contains(name, "/") || len(validation.IsQualifiedName(name)) > 0):
		d.atKey(key, Error, RuleChoice, "this is not a container's resource: cpu, memory, ephemeral-storage, or one with a domain%s", didYouMean(name, standardResources))
	case q == "": // wrong, which has been said, or empty
		if !d.has(key) {
			d.atKey(key, Error, RuleQuantity, "%s is empty", key)
		}
	case name != "cpu":
		d.thousandths(key, q)
	}
}

// thousandths refuses bytes by their thousandths: a slip for Mi.
func (d *decoder) thousandths(key string, q Quantity) {
	if strings.HasSuffix(string(q), "m") {
		d.at(key, Error, RuleQuantity, "%s: %s are thousandths of one; did you mean %q?", key, q, strings.TrimSuffix(string(q), "m")+"Mi")
	}
}

// overcommit checks what cannot be shared: it comes whole, and a request is the limit (kubernetes.io: Extended Resources, Manage HugePages).
func (d *decoder) overcommit(s *Spec) {
	for _, name := range slices.Sorted(maps.Keys(s.Resources.Requests)) {
		if request, limit := s.Resources.Requests[name], s.Resources.Limits[name]; shared(name) || request == "" {
			continue
		} else if limit == "" {
			d.at("resources.requests."+name, Error, RuleQuantity, "resources.limits.%s is missing: what is requested of it is also its limit", name)
		} else if q := request.Value(); q.Cmp(limit.Value()) != 0 {
			d.at("resources.requests."+name, Error, RuleQuantity, "resources.requests.%s must be its limit, %s", name, limit)
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

// shared reports whether several containers may use a resource by turns, unlike hugepages and what a device plugin offers.
func shared(name string) bool {
	return !strings.HasPrefix(name, "hugepages-") && !strings.Contains(name, "/")
}
