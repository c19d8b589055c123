package rollout

import (
	"fmt"
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
	if v.Foreign {
		return foreignHint(v)
	}
	switch v.Reason {
	case k8srollout.ImageNotFound:
		return "check the image's name and tag, or omit --image to build and push one"
	case k8srollout.RegistryRefused:
		return "give the nodes credentials: set pod.pullSecrets in the infraspec to a Secret with a login to the registry"
	case k8srollout.ImagePull:
		return "check that the nodes can reach the registry by this name"
	case k8srollout.WrongArchitecture:
		return "build the image for the nodes' platform (kubectl get nodes -L kubernetes.io/arch); " +
			"norn deploy does this if it can list the nodes"
	case k8srollout.CommandNotFound, k8srollout.CannotStart:
		if spec != nil && v.Reason == k8srollout.CommandNotFound && spec.Command.InShell() {
			return fmt.Sprintf("write the command in %s as a list, such as [/app, serve]: a string needs /bin/sh, which the "+
				"image lacks", place(spec, "command"))
		}
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
	case k8srollout.Unschedulable:
		return roomHint(v, spec)
	case k8srollout.VolumeNotBound, k8srollout.VolumeNotMounted:
		return volumeHint(v, spec)
	case k8srollout.PodsRefused:
		return v.Refusal().Hint(spec.Place)
	case k8srollout.QuotaExceeded:
		return quotaHint(v, spec)
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

// foreignHint says what to do about a container that the infraspec does not describe.
func foreignHint(v k8srollout.Verdict) string {
	return fmt.Sprintf("fix what injects container %s, or exclude the app's Pods from it; kubectl get "+
		"mutatingwebhookconfigurations,mutatingadmissionpolicies lists what may", v.Container)
}

// place returns where the infraspec sets a key, such as "infraspec.yaml line 4", or "" if it does not.
func place(spec *infraspec.Spec, key string) string { return spec.Place(key) }

func roomHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	if v.Tainted {
		return "if the app may run on the tainted nodes, set pod.tolerations in the infraspec; otherwise remove a taint " +
			"or add a node"
	}
	for _, resource := range v.Resources {
		for _, key := range []string{"resources.requests." + resource, "resources.limits." + resource} {
			if line := place(spec, key); line != "" {
				return fmt.Sprintf("lower %s in %s", key, line)
			}
		}
	}
	return "see the nodes' free resources with kubectl describe nodes"
}

// quotaHint says what to do about a full quota.
func quotaHint(v k8srollout.Verdict, spec *infraspec.Spec) string {
	hint := v.Refusal().Hint(spec.Place)
	if spec == nil || !objects.Surges(spec) {
		return hint
	}
	return hint + "; the rollout needs room for one Pod more than replicas; to end an old Pod first instead, set " +
		"spec.strategy.rollingUpdate to {maxSurge: 0, maxUnavailable: 1} in an overlay of kind Deployment"
}

// timeoutHint says how to find out why the rollout did not complete.
func timeoutHint(v k8srollout.Verdict) string {
	switch {
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

// startupHint adds advice for an app that starts more slowly than its probes allow.
func startupHint(v k8srollout.Verdict, hint string) string {
	if v.StartupLimit == 0 {
		return hint
	}
	slow := fmt.Sprintf("if the app needs more than %s to start, raise healthcheck.start", v.StartupLimit)
	if hint == "" {
		return slow
	}
	return hint + "; " + slow
}

func probeHint(v k8srollout.Verdict, spec *infraspec.Spec, ports []int) string {
	if spec == nil {
		return ""
	}
	h, key, port := spec.Healthcheck, "port", spec.Port
	if h.Port > 0 {
		key, port = "healthcheck.port", h.Port
	}
	line := place(spec, key)
	switch {
	case v.Port > 0 && len(ports) > 0:
		return fmt.Sprintf("change %s: %d in %s; the container listens on %s", key, port, line, numbers(ports))
	case v.Port > 0:
		return fmt.Sprintf("make the app listen on port %d (%s), and on all addresses (0.0.0.0), not only on localhost",
			port, line)
	case spec.Has("healthcheck.command"):
		return "check healthcheck.command in " + place(spec, "healthcheck.command")
	case spec.Has("healthcheck.path"):
		return fmt.Sprintf("check healthcheck.path: %s in %s", h.Path, place(spec, "healthcheck.path"))
	case h.Path != "":
		return fmt.Sprintf("check healthcheck: %s in %s", h.Path, place(spec, "healthcheck"))
	}
	return ""
}
