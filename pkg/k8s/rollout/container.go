package rollout

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// containersFailure returns the verdict for the first container that cannot start, or a Progressing verdict.
func containersFailure(o Observation, pods []*corev1.Pod) Verdict {
	var stalled Verdict
	for _, p := range pods {
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			v := containerFailure(o, p, s)
			v.Pod, v.Container = p.Name, s.Name
			v = attributed(o, p, v)
			if v.State == Failed {
				return v
			}
			if v.State == Stalled && stalled.State != Stalled {
				stalled = v
			}
		}
	}
	return stalled
}

// containerFailure translates the kubelet's waiting reasons (k8s.io/kubernetes/pkg/kubelet/images and kuberuntime).
func containerFailure(o Observation, p *corev1.Pod, s corev1.ContainerStatus) Verdict {
	if w := s.State.Waiting; w != nil {
		if nodeBusy.MatchString(w.Message) {
			return stalled(TimedOut, anyPatience, "container %s cannot start yet: %s", s.Name, brief(w.Message, w.Reason))
		}
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
			"RegistryUnavailable", "SignatureValidationFailed":
			return pullFailure(o, p, s, *w)
		case "CreateContainerConfigError":
			reason := BadConfig
			if missingSecret.MatchString(w.Message) {
				reason = MissingSecret
			}
			return failed(reason, "%s", brief(w.Message, w.Reason))
		case "CreateContainerError", "RunContainerError":
			return startFailure(s.Name, w.Message, w.Reason)
		}
	}
	t := lastEnd(s)
	if t != nil && (t.Reason == "StartError" || t.Reason == "ContainerCannotRun") {
		return startFailure(s.Name, t.Message, t.Reason)
	}
	return restartFailure(o, p, s)
}

func failed(reason Reason, format string, args ...any) Verdict {
	return Verdict{State: Failed, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func stalled(reason Reason, patience time.Duration, format string, args ...any) Verdict {
	return Verdict{State: Stalled, Reason: reason, Patience: patience, Message: fmt.Sprintf(format, args...)}
}

// missingSecret matches the kubelet's message about a missing Secret or key. CreateContainerConfigError has no field
// for it (k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go).
var missingSecret = regexp.MustCompile(`(?i)secret "?[^ ]*"? not found|couldn't find key .* in secret`)

// nodeBusy matches what the kubelet reports about a container that it tries to create again, because its own caches or
// the container runtime are late (k8s.io/kubernetes/pkg/kubelet/util/manager, pkg/kubelet/kubelet_pods.go;
// github.com/containerd/containerd/v2/internal/cri/server).
var nodeBusy = regexp.MustCompile(`^failed to sync \S+ cache:|^services have not yet been read at least once|` +
	`^failed to reserve container name|^(?:rpc error: code = DeadlineExceeded .*)?context deadline exceeded$`)

// Patterns for the OCI runtime's messages about a command that it cannot run. The kubelet passes on only this text
// (github.com/opencontainers/runc/libcontainer).
var (
	commandMissing = regexp.MustCompile(`exec: "([^"]*)": ` +
		`(?:stat [^:]*: no such file or directory|executable file not found in \$PATH)`)
	notExecutable = regexp.MustCompile(`exec: "([^"]*)": permission denied`)
	wrongFormat   = regexp.MustCompile(`exec format error`)
)

func startFailure(name, message, reason string) Verdict {
	message = brief(message, reason)
	if wrongFormat.MatchString(message) {
		return failed(WrongArchitecture, wrongFormatMessage, name)
	}
	if m := commandMissing.FindStringSubmatch(message); m != nil {
		return failed(CommandNotFound, "container %s cannot start: the image has no %s", name, m[1])
	}
	if m := notExecutable.FindStringSubmatch(message); m != nil {
		return failed(CannotStart, "container %s cannot start: %s is not executable", name, m[1])
	}
	return failed(CannotStart, "container %s cannot start: %s", name, message)
}

// wrongFormatMessage is a format for the container's name.
const wrongFormatMessage = "container %s cannot start: its program is built for another processor (exec format error)"

// provenAfter is how long a restarted container must run before a single observation counts it as running.
const provenAfter = time.Minute

func container(p *corev1.Pod, name string) *corev1.Container {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if c.Name == name {
			return &c
		}
	}
	return nil
}
