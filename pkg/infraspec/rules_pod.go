package infraspec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // many machines that run norn, such as CI images, have no time zones

	"k8s.io/apimachinery/pkg/util/validation"
)

// pod checks the settings of the Pods, which Kubernetes would reject only when it creates them.
func (d *decoder) pod(s *Spec) {
	p := s.Pod
	if p.ServiceAccount != "" && len(validation.IsDNS1123Subdomain(p.ServiceAccount)) > 0 {
		d.at("pod.serviceAccount", Error, RuleName, "pod.serviceAccount %s is not the name of a ServiceAccount",
			quoted(p.ServiceAccount))
	}
	for i, name := range p.PullSecrets {
		key := element("pod.pullSecrets", i)
		if d.has(key) && !d.foundAt(key) && len(validation.IsDNS1123Subdomain(name)) > 0 {
			d.at(key, Error, RuleName, "%s is not the name of a Secret", key)
		}
	}
	d.labels("pod.nodeSelector", p.NodeSelector)
	d.labels("pod.labels", p.Labels)
	d.reserved("pod.labels", p.Labels)
	d.reserved(podAnnotations, p.Annotations)
	d.annotations(podAnnotations, p.Annotations)
	for i, t := range p.Tolerations {
		if key := element("pod.tolerations", i); d.has(key) {
			d.toleration(key, t)
		}
	}
	if v, i := forbiddenHostPath(s); i >= 0 {
		d.at(element("volumes", i)+".hostPath", Warning, RuleSecurity,
			"the Pod Security Standard %s of pod.security forbids hostPath %s; use size", p.Security, quoted(v.HostPath))
	}
	d.timezone(s.Timezone)
}

// forbiddenHostPath returns a volume that the Pod Security Standard of the infraspec forbids, and its index, or -1.
func forbiddenHostPath(s *Spec) (Volume, int) {
	if s.Pod.Security != Restricted && s.Pod.Security != Baseline {
		return Volume{}, -1
	}
	i := slices.IndexFunc(s.Volumes, func(v Volume) bool { return v.HostPath != "" })
	if i < 0 {
		return Volume{}, -1
	}
	return s.Volumes[i], i
}

// labels checks keys and values by the rules for labels (kubernetes.io: Labels and Selectors).
func (d *decoder) labels(path string, m Metadata) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch {
		case len(validation.IsQualifiedName(name)) > 0:
			d.atKey(join(path, name), Error, RuleName, "%s: invalid key of a label; use letters, digits, '-', '_' and '.', "+
				"at most 63 characters, with an optional domain and / before it", path)
		case len(validation.IsValidLabelValue(m[name])) > 0:
			d.at(join(path, name), Error, RuleName, "%s.%s: invalid value of a label; use letters, digits, '-', '_' and '.', "+
				"at most 63 characters", path, name)
		}
	}
}

// maxAnnotations is how many bytes the annotations of an object can have (k8s.io/apimachinery/pkg/api/validation:
// TotalAnnotationSizeLimitB).
const maxAnnotations = 256 << 10

// podAnnotations is the path of the annotations of the Pods.
const podAnnotations = "pod.annotations"

// annotations checks keys and values by the rules for annotations.
func (d *decoder) annotations(path string, m Metadata) {
	total := 0
	for _, name := range slices.Sorted(maps.Keys(m)) {
		total += len(name) + len(m[name])
		switch {
		case len(validation.IsQualifiedName(strings.ToLower(name))) > 0:
			d.atKey(join(path, name), Error, RuleName, "%s: invalid key of an annotation; use letters, digits, '-', '_' and "+
				"'.', at most 63 characters, with an optional domain and / before it", path)
		case path == podAnnotations && LooksSecret(name, m[name]):
			d.at(join(path, name), Warning, RuleSecretInEnv, "the value of %s looks like a secret that anyone can read in this "+
				"file and the Pods; move it to secrets.enc.yaml and list its name under secrets", path)
		case holdsSecret(m[name]): // the name of a Secret, which is common here, is allowed
			d.at(join(path, name), Warning, RuleSecretInEnv, "the value of %s looks like a secret that anyone can read in this "+
				"file and the cluster; remove it", path)
		}
	}
	if total > maxAnnotations {
		d.at(path, Error, RuleName, "%s has %d bytes, more than the limit of %d", path, total, maxAnnotations)
	}
}

// reservedNames are the labels and annotations that norn and Kubernetes set. Selectors, the history and the logs rely
// on them.
var reservedNames = regexp.MustCompile(`^(app|managed-by|pod-template-hash|controller-uid|job-name|` +
	`app\.kubernetes\.io/(name|instance|component|managed-by)|` +
	`kubectl\.kubernetes\.io/(restartedAt|last-applied-configuration)|` +
	`norn/.*|deployment\.kubernetes\.io/.*|batch\.kubernetes\.io/.*)$`)

// IsReserved reports whether only norn and Kubernetes may set a label or an annotation of an app's objects.
func IsReserved(name string) bool { return reservedNames.MatchString(name) }

func (d *decoder) reserved(path string, m Metadata) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if IsReserved(name) {
			d.atKey(join(path, name), Error, RuleName, "%s.%s is set by norn or Kubernetes; remove it", path, name)
		}
	}
}

// toleration checks a toleration by the rules of Kubernetes (k8s.io/kubernetes: ValidateTolerations).
func (d *decoder) toleration(key string, t Toleration) {
	switch {
	case t.Key != "" && len(validation.IsQualifiedName(t.Key)) > 0:
		d.at(key+".key", Error, RuleName, "%s.key %s is not the key of a taint", key, quoted(t.Key))
	case t.Key == "" && t.Operator != "Exists":
		d.at(key, Error, RuleRequired, "%s needs a key, or operator: Exists to tolerate all taints", key)
	case t.Operator == "Exists" && t.Value != "":
		d.at(key+".value", Error, RuleChoice, "%s.value has no meaning for operator Exists; remove one of them", key)
	case len(validation.IsValidLabelValue(t.Value)) > 0:
		d.at(key+".value", Error, RuleName, "%s.value is not the value of a taint", key)
	case t.TolerationSeconds != nil && t.Effect != "NoExecute":
		d.at(key+".tolerationSeconds", Error, RuleChoice, "%s.tolerationSeconds needs effect: NoExecute", key)
	}
}

// timezone checks the name of a time zone. Kubernetes does not accept Local.
func (d *decoder) timezone(name string) {
	if name == "" {
		return
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		d.at("timezone", Error, RuleSchedule, "timezone %s is not the name of a time zone, such as Europe/Berlin or UTC",
			quoted(name))
	}
}

// access checks which Pods can mount a claim, and how many Pods the app has.
func (d *decoder) access(key string, v Volume) {
	for _, name := range []string{"class", "access"} {
		if v.HostPath != "" && d.has(key+"."+name) {
			d.atKey(key+"."+name, Warning, RuleIgnored, "%s.%s has no effect for a hostPath", key, name)
		}
	}
	if v.Class != "" && len(validation.IsDNS1123Subdomain(v.Class)) > 0 {
		d.at(key+".class", Error, RuleName, "%s.class %s is not the name of a StorageClass", key, quoted(v.Class))
	}
}

// claims says what the claims mean for the deploys of an app with Pods.
func (d *decoder) claims(s *Spec) {
	v, i := s.Exclusive()
	key := element("volumes", i)
	if i < 0 || v.Size == "" || !s.Role.Standing() || !d.has(key) {
		return
	}
	single := slices.IndexFunc(s.Volumes, func(v Volume) bool { return v.HostPath == "" && v.Access == ReadWriteOncePod })
	switch {
	case s.Replicas > 1 && single >= 0:
		d.at(element("volumes", single), Error, RuleClaim,
			"access: ReadWriteOncePod allows one Pod, and the app has %d; set replicas: 1, or %s", s.Replicas, shareIt)
	case s.Replicas > 1:
		d.at(key, Warning, RuleClaim, "the %d replicas share this claim (ReadWriteOnce), so all of them must run on one "+
			"node; each deploy stops all of them before it starts new ones; %s", s.Replicas, shareIt)
	default:
		d.at(key, Note, RuleClaim, "each deploy stops the app before it starts the new version, because of this claim (%s)",
			v.Mode())
	}
}

// shareIt says how Pods on several nodes can mount a claim.
const shareIt = "set access: ReadWriteMany and a class whose driver supports it"

// overlayPath checks where the overlay is.
func (d *decoder) overlayPath(s *Spec) {
	if s.Overlay != "" && !isInside(s.Overlay) {
		d.at("overlay", Error, RulePath, "overlay %s must be a path inside the folder of this file", quoted(s.Overlay))
	}
}

func (s *Spec) overlayFinding(format string, args ...any) Finding {
	return s.Finding("overlay", Error, RuleOverlay, fmt.Sprintf(format, args...))
}
