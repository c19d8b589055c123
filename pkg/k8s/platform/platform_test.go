package platform

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

func TestOfNodes(t *testing.T) {
	node := func(system, architecture string, labels map[string]string) corev1.Node {
		n := corev1.Node{}
		n.Labels = labels
		n.Status.NodeInfo.OperatingSystem, n.Status.NodeInfo.Architecture = system, architecture
		return n
	}
	labels := map[string]string{corev1.LabelOSStable: "linux", corev1.LabelArchStable: "arm64"}
	got := OfNodes([]corev1.Node{
		node("linux", "arm64", labels), node("linux", "amd64", nil), node("", "", labels), node("", "", nil),
	})
	if want := []string{"linux/amd64", "linux/arm64"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestRequired(t *testing.T) {
	list := strings.Fields
	for _, c := range []struct {
		name, image, nodes, live string
		same                     bool
		want                     string
	}{
		{"one kind of nodes", "linux/amd64", "linux/amd64", "", false, ""},
		{"nodes unknown", "linux/amd64", "", "", false, ""},
		{"several kinds of nodes", "linux/amd64", "linux/amd64 linux/arm64", "", false, "linux/amd64"},
		{"image unknown", "", "linux/amd64 linux/arm64", "", false, ""},
		{"image for all", "linux/amd64 linux/arm64/v8", "linux/amd64 linux/arm64", "", false, ""},
		{"image for some", "linux/amd64 linux/arm64", "linux/amd64 linux/arm64 linux/s390x", "", false,
			"linux/amd64 linux/arm64"},
		{"image for none, which may be emulated", "linux/s390x", "linux/amd64 linux/arm64", "", false, ""},
		{"the other nodes are missing", "linux/amd64", "linux/amd64", "linux/amd64", true, "linux/amd64"},
		{"a new image meanwhile", "linux/arm64", "linux/arm64", "linux/amd64", false, "linux/arm64"},
		{"a new image for all", "linux/amd64 linux/arm64", "linux/amd64 linux/arm64", "linux/amd64", false, ""},
		{"same image, platforms unknown", "", "linux/amd64 linux/arm64", "linux/amd64", true, "linux/amd64"},
		{"new image, platforms unknown", "", "linux/amd64 linux/arm64", "linux/amd64", false, ""},
	} {
		q := Question{Image: list(c.image), Nodes: list(c.nodes), Live: list(c.live), Same: c.same}
		if got := q.Required(); !slices.Equal(got, list(c.want)) {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// A Pod requires the platforms that norn has written, as the API server returns them.
func TestAffinity(t *testing.T) {
	for _, c := range []struct{ platforms, want, terms string }{
		{"linux/amd64", "linux/amd64", `kubernetes.io/arch In [amd64], kubernetes.io/os In [linux]`},
		{"linux/arm64 linux/amd64 linux/arm64/v8", "linux/amd64 linux/arm64",
			`kubernetes.io/arch In [amd64 arm64], kubernetes.io/os In [linux]`},
		{"windows/amd64 linux/arm64", "linux/arm64 windows/amd64",
			`kubernetes.io/arch In [arm64], kubernetes.io/os In [linux] or ` +
				`kubernetes.io/arch In [amd64], kubernetes.io/os In [windows]`},
	} {
		data, err := json.Marshal(Affinity(strings.Fields(c.platforms)))
		if err != nil {
			t.Fatal(err)
		}
		var applied, created corev1.PodSpec
		if err := json.Unmarshal(data, &applied.Affinity); err != nil {
			t.Fatal(err)
		}
		Require(&created, strings.Fields(c.platforms))
		for _, pod := range []corev1.PodSpec{applied, created} {
			if got := written(pod); got != c.terms {
				t.Errorf("%s: %s, want %s", c.platforms, got, c.terms)
			}
			if got := Of(pod); !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("%s: read %v", c.platforms, got)
			}
		}
	}
	if Affinity(nil) != nil {
		t.Error("no platforms have an affinity")
	}
}

func written(pod corev1.PodSpec) string {
	var texts []string
	for _, term := range required(pod).NodeSelectorTerms {
		var parts []string
		for _, e := range term.MatchExpressions {
			parts = append(parts, e.Key+" "+string(e.Operator)+" ["+strings.Join(e.Values, " ")+"]")
		}
		texts = append(texts, strings.Join(parts, ", "))
	}
	return strings.Join(texts, " or ")
}

// zoned returns a Pod that requires a zone.
func zoned() corev1.PodSpec {
	return corev1.PodSpec{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{"a"}},
			},
		}}},
	}}}
}

// An affinity that somebody else has set stays as it is.
func TestForeign(t *testing.T) {
	const path = `{"f:spec":{"f:template":{"f:spec":{"f:affinity":{%s}}}}}`
	const nodes = `"f:nodeAffinity":{"f:requiredDuringSchedulingIgnoredDuringExecution":{}}`
	const pods = `"f:podAntiAffinity":{"f:requiredDuringSchedulingIgnoredDuringExecution":{}}`
	var own corev1.PodSpec
	Require(&own, []string{"linux/amd64"})
	for _, c := range []struct {
		name   string
		pod    corev1.PodSpec
		fields map[string]string // by manager
		want   bool
	}{
		{"none", corev1.PodSpec{}, nil, false},
		{"a deploy's", own, map[string]string{metadata.DeployManager: nodes}, false},
		{"a deploy's, restored", own, map[string]string{metadata.DeployManager: nodes, metadata.ForgeManager: nodes}, false},
		{"a deploy's, after kubectl rollout undo", own, map[string]string{"kubectl-rollout": nodes}, false},
		{"a deploy's, beside the infraspec's for Pods", own, map[string]string{
			metadata.DeployManager: nodes, metadata.ForgeManager: pods,
		}, false},
		{"the infraspec's", own, map[string]string{metadata.ForgeManager: nodes}, true},
		{"a zone", zoned(), map[string]string{"kubectl-edit": nodes}, true},
	} {
		d := &appsv1.Deployment{}
		for manager, fields := range c.fields {
			raw := &metav1.FieldsV1{}
			raw.SetRawBytes([]byte(strings.Replace(path, "%s", fields, 1)))
			d.ManagedFields = append(d.ManagedFields, metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: raw})
		}
		if got := IsForeign(d, c.pod); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
	pod := zoned()
	if Require(&pod, []string{"linux/amd64"}); len(Of(pod)) > 0 || len(pod.Affinity.NodeAffinity.
		RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms) != 1 {
		t.Error("Require changed the affinity of a Pod that has one")
	}
}
