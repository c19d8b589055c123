package logs

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// logs shows the containers that norn manages, unless the user chooses others. If it manages none of a Pod's, all.
func TestWantedContainers(t *testing.T) {
	mesh := &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "native"}},
		Containers:     []corev1.Container{{Name: "istio-proxy"}, {Name: "shop"}},
	}}
	app, all, proxy := []string{"shop"}, []string{"native", "istio-proxy", "shop"}, []string{"istio-proxy"}
	other := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}, {Name: "b"}}}}
	for name, c := range map[string]struct {
		pod     *corev1.Pod
		filter  ContainerFilter
		managed []string
		want    []string
		named   bool
	}{
		"the app's own":       {mesh, ContainerFilter{}, app, app, false},
		"and one more":        {mesh, ContainerFilter{}, []string{"native", "shop"}, []string{"native", "shop"}, true},
		"all":                 {mesh, ContainerFilter{All: true}, app, all, true},
		"one":                 {mesh, ContainerFilter{Names: proxy}, app, proxy, true},
		"none of norn's":      {other, ContainerFilter{}, app, []string{"a", "b"}, true},
		"unknown who manages": {mesh, ContainerFilter{}, nil, all, true},
	} {
		isWanted := c.filter.isWanted(c.pod, c.managed)
		got := slices.DeleteFunc(containerNames(c.pod), func(name string) bool { return !isWanted(name) })
		if named := c.filter.namesContainers(c.pod, isWanted); !slices.Equal(got, c.want) || named != c.named {
			t.Errorf("%s: got %q, named %t", name, got, named)
		}
	}
}
