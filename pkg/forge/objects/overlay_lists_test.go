package objects

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// A key that is set twice is a mistake in every mapping. YAML alone would take the last one, without a word.
func TestOverlayKeysTwice(t *testing.T) {
	for text, want := range map[string]string{
		"kind: Deployment\n":                                                         "2:1: error: kind is already set",
		"spec: {hostNetwork: true, hostNetwork: false}\n":                            "2:27: error: spec.hostNetwork is",
		"spec: {}\nspec: {}\n":                                                       "3:1: error: spec is already set",
		"metadata: {labels: {tier: a, tier: b}}\n":                                   "2:30: error: metadata.labels.tier",
		"spec: {nodeSelector: {disk: a, disk: a}}\n":                                 "2:32: error: spec.nodeSelector",
		"spec: {containers: [{name: web, resources: {limits: {cpu: 1, cpu: 2}}}]}\n": "2:62: error: spec.containers[0]",
		"metadata: {annotations: {hunter2: a, hunter2: b}}\n":                        "2:38: error: metadata.annotations[]",
	} {
		found := CheckOverlay(load(t, servedSpec+"overlay: overlay.yaml\n", "kind: Pod\n"+text), nil)
		if len(found) != 1 || !strings.HasPrefix(found[0].String(), "overlay.yaml:"+want) {
			t.Errorf("%q: %v, want %q", text, found, want)
		}
	}
}

// An item of a list is merged into norn's with the same key. A list without a key is replaced.
func TestOverlayLists(t *testing.T) {
	spec := load(t, servedSpec+`env: {A: "1"}
pod: {tolerations: [{key: a, operator: Exists}], pullSecrets: [a]}
volumes: [{name: data, mountPath: /data, size: 1Gi, access: ReadWriteMany}]
overlay: overlay.yaml
`, `kind: Pod
spec:
  tolerations: [{key: b, operator: Exists}]
  imagePullSecrets: [{name: b}]
  topologySpreadConstraints: [{topologyKey: kubernetes.io/hostname, maxSkew: 2}]
  volumes: [{name: tmp, emptyDir: {}}]
  containers:
    - name: web
      env: [{name: B, value: "2"}]
      volumeMounts: [{name: data, mountPath: /data, readOnly: true}, {name: tmp, mountPath: /tmp}]
      ports: [{containerPort: 8080, name: main}, {containerPort: 9090}]
`)
	conf, err := Deployment(spec, Settings{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pod, err := podSpec(spec, conf.Spec.Template.Spec)
	if err != nil {
		t.Fatal(err)
	}
	c := pod.Containers[0]
	mount := func(path string) bool {
		return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
			return m.MountPath == path && m.ReadOnly == (path == "/data")
		})
	}
	port := func(number int32, name string) bool {
		return slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
			return p.ContainerPort == number && p.Name == name
		})
	}
	spread := pod.TopologySpreadConstraints
	for what, right := range map[string]bool{
		"tolerations are replaced":   len(pod.Tolerations) == 1 && pod.Tolerations[0].Key == "b",
		"pull secrets are added":     len(pod.ImagePullSecrets) == 2,
		"spread is merged":           len(spread) == 1 && spread[0].MaxSkew == 2 && spread[0].LabelSelector != nil,
		"volumes are added":          len(pod.Volumes) == 2,
		"variables are added":        len(c.Env) == 2 && c.Env[0].Name == "A",
		"mounts are merged":          len(c.VolumeMounts) == 2 && mount("/data") && mount("/tmp"),
		"ports are merged by number": len(c.Ports) == 2 && port(8080, "main") && port(9090, ""),
	} {
		if !right {
			t.Errorf("not true: %s", what)
		}
	}
}

// docs/overlay.md names the keys of all lists that Kubernetes merges.
func TestListsInDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/overlay.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	rows, lists := regexp.MustCompile("(?m)^\\| (.*) \\| `([a-zA-Z]+)` \\|$"), regexp.MustCompile("`([a-zA-Z]+)`")
	for _, row := range rows.FindAllStringSubmatch(string(page), -1) {
		for _, list := range lists.FindAllStringSubmatch(row[1], -1) {
			told = append(told, list[1]+" "+row[2])
		}
	}
	// An overlay cannot set the others.
	merged := map[string]bool{"ephemeralContainers name": true, "ownerReferences uid": true}
	want := []string{}
	var walk func(reflect.Type)
	seen := map[reflect.Type]bool{}
	walk = func(at reflect.Type) {
		for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
			at = at.Elem()
		}
		if at.Kind() != reflect.Struct || seen[at] {
			return
		}
		seen[at] = true
		for f := range at.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			list := name + " " + f.Tag.Get("patchMergeKey")
			if !strings.HasSuffix(list, " ") && !merged[list] {
				merged[list] = true
				want = append(want, list)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[corev1.PodSpec]())
	walk(reflect.TypeFor[corev1.ServiceSpec]())
	slices.Sort(told)
	slices.Sort(want)
	if !slices.Equal(told, want) {
		t.Errorf("docs/overlay.md has\n%q, want\n%q", told, want)
	}
}
