package rollout

import (
	"fmt"
	"path/filepath"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	k8srollout "norn/pkg/k8s/rollout"
)

// hint is what to do about a failed rollout, in the infraspec's own terms where there is one.
func hint(v k8srollout.Verdict, spec *infraspec.Spec, ports []int) string {
	switch v.Reason {
	case k8srollout.ImageNotFound:
		return "check the image's name and tag; norn deploy without --image builds and pushes one"
	case k8srollout.RegistryRefused:
		return "the nodes need credentials of their own: an imagePullSecret of the namespace's default ServiceAccount"
	case k8srollout.ImagePull:
		return "check that the nodes reach the registry under this name"
	case k8srollout.WrongArchitecture:
		return "build it for the nodes' platform (kubectl get nodes -L kubernetes.io/arch); norn deploy does so by itself where it may list nodes"
	case k8srollout.CommandNotFound, k8srollout.CannotStart:
		if says := place(spec, "command"); says != "" {
			return says + " sets the command"
		}
		return "the ENTRYPOINT or CMD of the Dockerfile names it"
	case k8srollout.OutOfMemory:
		if says := place(spec, "resources.limits.memory"); says != "" {
			return says + " sets the limit"
		}
		return "give it more by resources.limits.memory in the infraspec"
	case k8srollout.MissingSecret:
		return "norn deploy brings what the infraspec declares; a new name belongs under secrets: there and, with norn secrets set, into secrets.enc.yaml"
	case k8srollout.Unschedulable, k8srollout.QuotaExceeded:
		return roomHint(v, spec)
	case k8srollout.VolumeNotBound, k8srollout.VolumeNotMounted:
		return volumeHint(v, spec)
	case k8srollout.PodsRefused:
		return "a policy of the cluster refuses the pods; whoever runs the cluster knows it"
	case k8srollout.ProbeFailing, k8srollout.LivenessKilled:
		return probeHint(v, spec, ports)
	case k8srollout.TimedOut:
		return "a slower start wants a longer --timeout"
	case k8srollout.CrashLoop:
		return "its last log lines are above; more restarts are allowed with --allow-restarts"
	case k8srollout.BadConfig, k8srollout.PodLost, k8srollout.NoDeployment:
	}
	return ""
}

// place is where the infraspec says something, such as "infraspec.yaml line 4", or "" where it does not.
func place(spec *infraspec.Spec, key string) string {
	if spec == nil || !spec.Has(key) {
		return ""
	}
	return fmt.Sprintf("%s line %d", filepath.Base(spec.Path()), spec.Finding(key, infraspec.Note, "", "").Line)
}

func roomHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	if v.Tainted {
		return "its nodes are tainted for other pods, and norn sets no tolerations"
	}
	for _, resource := range v.Resources {
		for _, key := range []string{"resources.requests." + resource, "resources.limits." + resource} {
			if says := place(spec, key); says != "" {
				return fmt.Sprintf("%s asks for %s", says, resource)
			}
		}
	}
	if v.Reason == k8srollout.QuotaExceeded {
		return "kubectl describe resourcequota shows what is left"
	}
	return "kubectl describe nodes shows what they have"
}

func volumeHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	if spec == nil {
		return "norn status shows the app's volumes"
	}
	for i, volume := range spec.Volumes {
		key := fmt.Sprintf("volumes[%d]", i)
		switch claim := objects.ClaimName(spec.App, volume.Name); {
		case volume.HostPath != "" && volume.HostPath == v.HostPath:
			return fmt.Sprintf("%s says hostPath: %s, a folder that must be on the node",
				place(spec, key+".hostPath"), volume.HostPath)
		case volume.HostPath == "" && claim == v.Claim:
			return fmt.Sprintf("%s asks for %s; kubectl describe pvc %s says what the claim waits for",
				place(spec, key), volume.Size, claim)
		}
	}
	return "the infraspec has no such volume: see what else is in the Deployment's pod template"
}

func probeHint(v k8srollout.Verdict, spec *infraspec.Spec, ports []int) string {
	port, path := place(spec, "port"), place(spec, "healthcheck")
	switch {
	case spec == nil:
		return ""
	case v.Port > 0 && len(ports) > 0:
		return fmt.Sprintf("%s says port %d; the container listens on %s", port, spec.Port, numbers(ports))
	case v.Port > 0:
		return fmt.Sprintf("%s says port %d, and nothing listens there: does the app listen on that port, and on all addresses (0.0.0.0), not only on localhost?", port, spec.Port)
	case path != "":
		return fmt.Sprintf("%s says healthcheck: %s", path, spec.Healthcheck)
	}
	return ""
}
