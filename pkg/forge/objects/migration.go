package objects

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// Migration returns the pod that runs migrations.command in image, with the app's environment and secrets. It mounts no
// volumes, because the running version may have a claim mounted on another node.
func Migration(spec *infraspec.Spec, s Settings, image string) (*corev1.PodSpec, error) {
	return jobPod(spec, s, image, spec.Migrations.Command)
}

// jobPod returns the Pod of a Job that runs a command in image before a rollout.
func jobPod(spec *infraspec.Spec, s Settings, image string, command infraspec.Command) (*corev1.PodSpec, error) {
	conf, err := podFor(spec, s, &Start{Image: image})
	if err != nil {
		return nil, err
	}
	if err := overlayJob(conf, spec); err != nil {
		return nil, err
	}
	pod, err := podSpec(spec, conf)
	if err != nil {
		return nil, err
	}
	removeVolumes(spec, pod)
	c := &pod.Containers[0]
	c.Command, c.Args = EscapeDollars(command), nil
	c.Ports, c.LivenessProbe, c.ReadinessProbe, c.StartupProbe = nil, nil, nil, nil
	return pod, nil
}

// removeVolumes removes the infraspec's volumes, and the claims that an overlay mounts.
func removeVolumes(spec *infraspec.Spec, pod *corev1.PodSpec) {
	removed := map[string]bool{}
	for _, v := range spec.Volumes {
		removed[v.Name] = true
	}
	pod.Volumes = slices.DeleteFunc(pod.Volumes, func(v corev1.Volume) bool {
		removed[v.Name] = removed[v.Name] || v.PersistentVolumeClaim != nil
		return removed[v.Name]
	})
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			containers[i].VolumeMounts = slices.DeleteFunc(containers[i].VolumeMounts, func(m corev1.VolumeMount) bool {
				return removed[m.Name]
			})
		}
	}
}

// podSpec converts an apply configuration to the API type, for objects that norn creates instead of applying.
func podSpec(spec *infraspec.Spec, conf *applycore.PodSpecApplyConfiguration) (*corev1.PodSpec, error) {
	data, err := json.Marshal(conf)
	if err != nil {
		return nil, fmt.Errorf("write the Pod of %s: %w", spec.App, err)
	}
	var pod corev1.PodSpec
	if err := json.Unmarshal(data, &pod); err != nil {
		return nil, fmt.Errorf("write the Pod of %s: %w", spec.App, err)
	}
	return &pod, nil
}
