package rollout

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	k8srollout "norn/pkg/k8s/rollout"
)

// clues are what norn knows about a failed rollout, apart from the verdict.
type clues struct {
	spec  *infraspec.Spec // may be nil
	ports []int           // where the container listens, if not on its probe's port
	log   []string        // the container's last lines, of all runs
}

// hint returns what to do about a failed rollout. If there is an infraspec, it names the line to change.
func hint(v k8srollout.Verdict, c clues) string {
	spec := c.spec
	switch v.Reason {
	case k8srollout.ImageNotFound:
		return "check the image's name and tag, or omit --image to build and push one"
	case k8srollout.RegistryRefused:
		return "give the nodes credentials: an imagePullSecret of the namespace's default ServiceAccount"
	case k8srollout.ImagePull:
		return "check that the nodes can reach the registry by this name"
	case k8srollout.WrongArchitecture:
		return "build the image for the nodes' platform (kubectl get nodes -L kubernetes.io/arch); " +
			"norn deploy does this if it can list the nodes"
	case k8srollout.CommandNotFound, k8srollout.CannotStart:
		if line := place(spec, "command"); line != "" {
			return "check the command in " + line
		}
		return "check ENTRYPOINT and CMD in the Dockerfile"
	case k8srollout.OutOfMemory:
		if line := place(spec, "resources.limits.memory"); line != "" {
			return "raise the limit in " + line
		}
		return "set a higher resources.limits.memory in the infraspec"
	case k8srollout.MissingSecret:
		return "declare the name under secrets: in the infraspec, give it a value with norn secrets set, and deploy again"
	case k8srollout.Unschedulable, k8srollout.QuotaExceeded:
		return roomHint(v, spec)
	case k8srollout.VolumeNotBound, k8srollout.VolumeNotMounted:
		return volumeHint(v, spec)
	case k8srollout.PodsRefused:
		return refusedHint(v, spec)
	case k8srollout.ProbeFailing, k8srollout.LivenessKilled:
		return startupHint(v, probeHint(v, spec, c.ports))
	case k8srollout.TimedOut:
		return timeoutHint(v)
	case k8srollout.CrashLoop:
		return crashHint(c.log)
	case k8srollout.BadConfig:
		return "fix the setting named above, in the infraspec or in the Deployment's Pod template"
	case k8srollout.PodLost:
		return "set resources.requests to what the app uses, or run kubectl describe nodes to see why they reject Pods"
	case k8srollout.NoDeployment:
		return "find out who deleted the Deployment, and create it again with norn deploy"
	}
	return ""
}

// place returns where the infraspec sets a key, such as "infraspec.yaml line 4", or "" if it does not.
func place(spec *infraspec.Spec, key string) string {
	if spec == nil || !spec.Has(key) {
		return ""
	}
	return fmt.Sprintf("%s line %d", filepath.Base(spec.Path()), spec.Finding(key, infraspec.Note, "", "").Line)
}

func roomHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	if v.Tainted {
		return "remove a taint or add a node without one: the nodes are tainted, and norn sets no tolerations"
	}
	for _, resource := range v.Resources {
		for _, key := range []string{"resources.requests." + resource, "resources.limits." + resource} {
			if line := place(spec, key); line != "" {
				return fmt.Sprintf("lower %s in %s", key, line)
			}
		}
	}
	if v.Reason == k8srollout.QuotaExceeded {
		return "see the rest of the quota with kubectl describe resourcequota"
	}
	return "see the nodes' free resources with kubectl describe nodes"
}

// refusedHint names the key that makes the API server accept the Pods. For Pod Security, there is none.
func refusedHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	for _, what := range v.Violations {
		switch what {
		case k8srollout.SecurityContext:
			return "set a securityContext with kubectl patch deployment, as PodsRefused in docs/troubleshooting.md shows; " +
				"norn keeps it"
		case k8srollout.HostPath:
			if spec == nil {
				return "remove the hostPath volume from the infraspec: Pod Security forbids it"
			}
			i := slices.IndexFunc(spec.Volumes, func(v infraspec.Volume) bool { return v.HostPath != "" })
			return fmt.Sprintf("replace hostPath with size in %s: Pod Security forbids hostPath volumes",
				cmp.Or(place(spec, fmt.Sprintf("volumes[%d].hostPath", i)), "the infraspec"))
		default: // of a LimitRange or a ResourceQuota
			key := "resources." + what
			if line := place(spec, key); line != "" {
				return fmt.Sprintf("change %s in %s to what the policy above allows", key, line)
			}
			return fmt.Sprintf("set %s in the infraspec to what the policy above allows", key)
		}
	}
	return "ask the cluster's admin about the policy above, which refuses the Pods"
}

// timeoutHint says how to find out why the rollout did not complete.
func timeoutHint(v k8srollout.Verdict) string {
	switch {
	case v.OldPod != "":
		return fmt.Sprintf("if the node of Pod %s is gone for good, run kubectl delete pod %[1]s --force", v.OldPod)
	case v.Pod != "":
		return fmt.Sprintf("run kubectl describe pod %s to see what the Pod waits for; if it only needs more time, "+
			"for example to pull the image, raise --timeout", v.Pod)
	default:
		return "run kubectl get replicasets,events to see why the controller creates no Pods"
	}
}

// serviceDown matches log lines of an app that exits because it cannot reach another service.
var serviceDown = regexp.MustCompile(`(?i)connection refused|ECONNREFUSED|no such host|ENOTFOUND|EAI_AGAIN|` +
	`name resolution|could not connect|i/o timeout|connection timed out`)

// crashHint says what to do about a container that keeps exiting. A restart helps only if the cause is outside the app.
func crashHint(log []string) string {
	switch {
	case len(log) == 0:
		return "make the app log why it ends: the container printed nothing"
	case slices.ContainsFunc(log[max(0, len(log)-shownLines):], serviceDown.MatchString):
		return "check the service that the app cannot reach; if that service only starts later, raise --allow-restarts"
	default:
		return "fix the cause shown in the container's last log lines above"
	}
}

func volumeHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	if spec == nil {
		return "see the app's volumes with norn status"
	}
	for i, volume := range spec.Volumes {
		key := fmt.Sprintf("volumes[%d]", i)
		switch claim := objects.ClaimName(spec.App, volume.Name); {
		case volume.HostPath != "" && volume.HostPath == v.HostPath:
			return fmt.Sprintf("create the folder %s on the node, or change hostPath in %s",
				volume.HostPath, place(spec, key+".hostPath"))
		case volume.HostPath == "" && claim == v.Claim:
			return fmt.Sprintf("run kubectl describe pvc %s to see why the claim for %s (%s) is not bound",
				claim, volume.Size, place(spec, key))
		}
	}
	return "check the Deployment's Pod template: the infraspec has no such volume"
}

// startupHint adds advice for an app that starts more slowly than its startup probe allows. No setting changes that
// limit.
func startupHint(v k8srollout.Verdict, hint string) string {
	if v.StartupLimit == 0 {
		return hint
	}
	slow := fmt.Sprintf("if the app needs more than %s to start, omit healthcheck", v.StartupLimit)
	if hint == "" {
		return slow
	}
	return hint + "; " + slow
}

func probeHint(v k8srollout.Verdict, spec *infraspec.Spec, ports []int) string {
	port, path := place(spec, "port"), place(spec, "healthcheck")
	switch {
	case spec == nil:
		return ""
	case v.Port > 0 && len(ports) > 0:
		return fmt.Sprintf("change port: %d in %s; the container listens on %s", spec.Port, port, numbers(ports))
	case v.Port > 0:
		return fmt.Sprintf("make the app listen on port %d (%s), and on all addresses (0.0.0.0), not only on localhost",
			spec.Port, port)
	case path != "":
		return fmt.Sprintf("check healthcheck: %s in %s", spec.Healthcheck, path)
	}
	return ""
}
