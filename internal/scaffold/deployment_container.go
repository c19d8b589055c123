package scaffold

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
)

// texts returns a list of texts.
func texts(all []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, one := range all {
		list.Content = append(list.Content, textNode(one))
	}
	return list
}

// variables takes the environment variables. Those of Secrets become references under secrets.
func (d *deployed) variables() {
	for _, from := range d.own.EnvFrom {
		switch {
		case from.SecretRef != nil:
			d.allOf(from.Prefix, from.SecretRef.Name)
		case from.ConfigMapRef != nil:
			source := d.ConfigMaps[from.ConfigMapRef.Name]
			if source == nil {
				d.note(nil, "envFrom", "norn cannot read ConfigMap %s; set its values under env", from.ConfigMapRef.Name)
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(source.Data)) {
				d.variable(&d.main, nil, from.Prefix+key, source.Data[key])
			}
		}
	}
	for _, e := range d.own.Env {
		switch from := e.ValueFrom; {
		case from == nil:
			d.variable(&d.main, nil, e.Name, e.Value)
			if strings.Contains(e.Value, "$(") {
				d.note(nil, e.Name, "Kubernetes replaces $(NAME) in the value; norn does not, so write the result")
			}
		case from.SecretKeyRef != nil:
			d.reference(e.Name, from.SecretKeyRef)
		case from.ConfigMapKeyRef != nil:
			d.fromConfigMap(e.Name, from.ConfigMapKeyRef)
		default:
			d.note(nil, e.Name, "the value comes from a field of the Pod; set the variable in an overlay")
		}
	}
}

// allOf says how to list the keys of a Secret that are all variables.
func (d *deployed) allOf(prefix, secret string) {
	const unknown = "norn reads no Secret, so the names in Secret %s are not known; "
	if d.managesSecret(secret) {
		d.note(nil, "envFrom", unknown+"list them under secrets, and set each with norn secrets set", secret)
		return
	}
	d.note(nil, "envFrom", unknown+"write each under secrets as %sKEY: {from: %s/KEY}", secret, prefix, secret)
}

// reference takes a variable whose value is in a Secret. The Secret stays where it is, unless norn manages one with
// that name.
func (d *deployed) reference(name string, ref *corev1.SecretKeySelector) {
	switch {
	case d.managesSecret(ref.Name):
		d.secret(nil, name, fmt.Sprintf("the value is that of key %s in Secret %s, which norn manages", ref.Key, ref.Name))
		return
	case len(validation.IsDNS1123Subdomain(ref.Name)) > 0 || len(validation.IsConfigMapKey(ref.Key)) > 0:
		d.secret(nil, name, "the value is in a Secret whose name or key is not valid")
		return
	case !infraspec.IsVariable(name):
		d.note(nil, "secrets", "an entry has no valid name for a variable, and is left out")
		return
	}
	if !slices.Contains(d.secrets, name) {
		d.secrets = append(d.secrets, name)
	}
	if d.references == nil {
		d.references = map[string]string{}
	}
	d.references[name] = ref.Name + "/" + ref.Key
	if ref.Optional != nil && *ref.Optional {
		d.note(nil, name, "norn deploys only if key %s of Secret %s exists; if it does not, remove the name from secrets",
			ref.Key, ref.Name)
	}
}

// managesSecret reports whether a Secret has the name of one that norn makes for the app.
func (d *deployed) managesSecret(name string) bool {
	own := objects.SecretName(d.app)
	return name == own || name == own+"-previous"
}

// fromConfigMap takes a variable from a ConfigMap.
func (d *deployed) fromConfigMap(name string, ref *corev1.ConfigMapKeySelector) {
	source := d.ConfigMaps[ref.Name]
	value, has := "", false
	if source != nil {
		value, has = source.Data[ref.Key]
	}
	if !has {
		d.note(nil, name, "norn cannot read key %s of ConfigMap %s; set env.%s", ref.Key, ref.Name, name)
		return
	}
	d.variable(&d.main, nil, name, value)
}

// checks takes the healthcheck from the probes, if possible from the one that decides about requests.
func (d *deployed) checks() {
	probes := []*corev1.Probe{d.own.ReadinessProbe, d.own.LivenessProbe, d.own.StartupProbe}
	first := slices.IndexFunc(probes, func(p *corev1.Probe) bool { return p != nil })
	if first < 0 {
		return
	}
	names := []string{"readinessProbe", "livenessProbe", "startupProbe"}
	probe, key := probes[first], names[first]
	start, every := "", ""
	if s := d.own.StartupProbe; s != nil {
		start = wholeSeconds(int(s.InitialDelaySeconds + max(1, s.FailureThreshold)*max(1, s.PeriodSeconds)))
	}
	if probe.PeriodSeconds > 0 && first < 2 && probe.PeriodSeconds != 10 {
		every = wholeSeconds(int(probe.PeriodSeconds))
	}
	switch {
	case probe.HTTPGet != nil && !strings.EqualFold(string(probe.HTTPGet.Scheme), "https"):
		path := d.text(textNode(probe.HTTPGet.Path), key)
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		d.main.health = d.main.check(path, d.portOf(probe.HTTPGet.Port.String(), 0), start, every)
		if probe.HTTPGet.Host != "" || len(probe.HTTPGet.HTTPHeaders) > 0 {
			d.note(nil, key, "norn's check has no headers and no host of its own")
		}
	case probe.HTTPGet != nil:
		d.main.health = d.main.check("", d.portOf(probe.HTTPGet.Port.String(), 0), start, every)
		d.note(nil, key, "norn's check does not use TLS; it only connects to the port")
	case probe.TCPSocket != nil:
		d.main.health = d.main.check("", d.portOf(probe.TCPSocket.Port.String(), 0), start, every)
	case probe.Exec != nil:
		if line := d.line(texts(probe.Exec.Command), key); line != nil {
			d.main.health = withTimes(mapping("command", line), start, every)
		}
	default:
		d.note(nil, key, "norn has no check of this kind; use healthcheck.command")
	}
	for i, other := range probes {
		if i != first && other != nil && !equality.Semantic.DeepEqual(other.ProbeHandler, probe.ProbeHandler) {
			d.note(nil, names[i], "norn makes all probes from one healthcheck, which is that of the %s", key)
		}
	}
}

func wholeSeconds(n int) string { return strconv.Itoa(n) + "s" }

// amounts takes the requests and limits.
func (d *deployed) amounts() {
	take := func(list corev1.ResourceList, all *[]pair) {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			amount := list[name]
			limit(all, string(name), amount.String())
		}
	}
	take(d.own.Resources.Requests, &d.main.requests)
	take(d.own.Resources.Limits, &d.main.limits)
	if len(d.own.Resources.Claims) > 0 {
		d.note(nil, "resources.claims", "norn has no such setting; set it in an overlay")
	}
}

// mounts takes the volumes of claims and of folders of the node.
func (d *deployed) mounts() {
	for _, m := range d.own.VolumeMounts {
		key := "volumes." + m.Name
		i := slices.IndexFunc(d.pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		switch {
		case i < 0:
			continue
		case m.SubPath != "" || m.SubPathExpr != "":
			d.note(nil, key, "a mount of a part of a volume is left out; set it in an overlay")
			continue
		case m.ReadOnly && (d.pod.Volumes[i].HostPath != nil || d.pod.Volumes[i].PersistentVolumeClaim != nil):
			d.note(nil, key, "norn mounts it writable")
		}
		switch source := d.pod.Volumes[i].VolumeSource; {
		case source.PersistentVolumeClaim != nil:
			d.claim(m, source.PersistentVolumeClaim.ClaimName)
		case source.HostPath != nil:
			d.mount(&d.main, nil, volume{name: m.Name, mountPath: m.MountPath, hostPath: source.HostPath.Path})
		default:
			d.note(nil, key, "norn mounts claims and folders of the node only; set the volume in an overlay")
		}
	}
}

// claim takes a volume with a claim. The claim stays in use if it has the name that norn gives it.
func (d *deployed) claim(m corev1.VolumeMount, claim string) {
	v := volume{name: m.Name, mountPath: m.MountPath}
	if own, ok := strings.CutPrefix(claim, d.app+"-"); ok && infraspec.ValidName(own) {
		v.name = own
	}
	for i := range d.Claims {
		c := &d.Claims[i]
		if c.Name != claim {
			continue
		}
		size := c.Spec.Resources.Requests[corev1.ResourceStorage]
		v.size = size.String()
		if c.Spec.StorageClassName != nil {
			v.class = *c.Spec.StorageClassName
		}
		if len(c.Spec.AccessModes) > 0 && c.Spec.AccessModes[0] != corev1.ReadWriteOnce {
			v.access = string(c.Spec.AccessModes[0])
		}
	}
	if made := d.app + "-" + appName(v.name); made != claim {
		d.note(nil, "volumes."+v.name, "norn creates claim %s, which is empty; copy the data from claim %s", made, claim)
	}
	if v.access == string(corev1.ReadOnlyMany) {
		d.note(nil, "volumes."+v.name, "norn has no access %s, and the default holds", v.access)
		v.access = ""
	}
	d.mount(&d.main, nil, v)
}
