package infraspec

// Pod holds the settings of the app's Pods, those of its Jobs included.
type Pod struct {
	// ServiceAccount is the name of the ServiceAccount of the Pods. norn does not create it.
	ServiceAccount string `yaml:"serviceAccount"`
	// PullSecrets are the names of the Secrets with logins to private registries. norn does not create them.
	PullSecrets []string `yaml:"pullSecrets"`
	// NodeSelector are the labels that a node must have to run the Pods.
	NodeSelector Metadata `yaml:"nodeSelector"`
	// Tolerations are the taints of nodes that the Pods tolerate.
	Tolerations []Toleration `yaml:"tolerations"`
	// Annotations are annotations of the Pods.
	Annotations Metadata `yaml:"annotations"`
	// Labels are labels of the Pods, in addition to norn's. The Pods of Jobs have them too, so a Service of your own must
	// not select by these alone.
	Labels Metadata `yaml:"labels"`
	// Security is the Pod Security Standard that the Pods meet. restricted sets runAsNonRoot, seccompProfile
	// RuntimeDefault and allowPrivilegeEscalation false, and drops all capabilities. baseline and none set nothing. The
	// default is the standard that the namespace enforces. See docs/restricted.md.
	Security Security `yaml:"security" jsonschema:"enum=restricted,enum=baseline,enum=none"`
}

// Security is a Pod Security Standard (kubernetes.io: Pod Security Standards).
type Security string

// The standards. Privileged allows everything, so it is the same as none.
const (
	Restricted Security = "restricted"
	Baseline   Security = "baseline"
	Privileged Security = "none"
)

// Metadata are labels or annotations.
type Metadata map[string]string

// Toleration is a taint that Pods tolerate. An empty key tolerates all taints.
type Toleration struct {
	// Key is the taint's key. Without one, the operator must be Exists.
	Key string `yaml:"key"`
	// Operator is Equal, the default, to compare the value, or Exists to tolerate every value.
	Operator string `yaml:"operator" jsonschema:"enum=Equal,enum=Exists"`
	// Value is the taint's value, for the operator Equal.
	Value string `yaml:"value"`
	// Effect is the taint's effect. Without one, all effects are tolerated.
	Effect string `yaml:"effect" jsonschema:"enum=NoSchedule,enum=PreferNoSchedule,enum=NoExecute"`
	// TolerationSeconds is how long a Pod stays on a node after a taint with effect NoExecute. Without it, the Pod stays.
	TolerationSeconds *int `yaml:"tolerationSeconds"`
}

// Access says which Pods can mount a claim at the same time (kubernetes.io: Persistent Volumes, Access Modes).
type Access string

// The access modes.
const (
	ReadWriteOnce    Access = "ReadWriteOnce"
	ReadWriteMany    Access = "ReadWriteMany"
	ReadWriteOncePod Access = "ReadWriteOncePod"
)

// Shared reports whether Pods on several nodes can mount the volume at once.
func (v Volume) Shared() bool { return v.HostPath != "" || v.Access == ReadWriteMany }

// Mode returns the access mode of the volume's claim.
func (v Volume) Mode() Access {
	if v.Access == "" {
		return ReadWriteOnce
	}
	return v.Access
}

// Exclusive returns the first volume whose claim cannot be mounted on several nodes at once, and its index, or -1.
func (s *Spec) Exclusive() (Volume, int) {
	for i, v := range s.Volumes {
		if !v.Shared() {
			return v, i
		}
	}
	return Volume{}, -1
}
