package rollout

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// pullPatience is how long a registry may be out of reach.
const pullPatience = 15 * time.Second

// loadPatience is how long a node may take to see an image that was just loaded into its containerd.
const loadPatience = 5 * time.Second

// containersFailure finds the first container of the pods that cannot come up, or Progressing.
func containersFailure(o Observation, pods []*corev1.Pod) Verdict {
	var stalled Verdict
	for _, p := range pods {
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			v := containerFailure(o, p, s)
			v.Pod, v.Container = p.Name, s.Name
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
		switch w.Reason {
		case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
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
	if ends(s) <= o.allowedRestarts() || s.Ready && !justBack(s, o.Now) {
		return Verdict{}
	}
	if probe, got := killedBy(o, p, s.Name); probe != "" {
		reason := LivenessKilled
		if probe == "startup" {
			reason = ProbeFailing
		}
		return failed(reason, "container %s was killed %s by its %s probe: %s", s.Name, times(ends(s)), probe, got)
	}
	if t != nil && t.Reason == "OOMKilled" {
		return failed(OutOfMemory, "container %s was killed %s at its memory limit%s", s.Name, times(ends(s)), memoryLimit(p, s.Name))
	}
	return failed(CrashLoop, "container %s %s", s.Name, ending(t, ends(s)))
}

func failed(reason Reason, format string, args ...any) Verdict {
	return Verdict{State: Failed, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

func stalled(reason Reason, patience time.Duration, format string, args ...any) Verdict {
	return Verdict{State: Stalled, Reason: reason, Patience: patience, Message: fmt.Sprintf(format, args...)}
}

// missingSecret is what the kubelet says of a reference that leads nowhere (k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go).
var missingSecret = regexp.MustCompile(`(?i)secret "?[^ ]*"? not found|couldn't find key .* in secret`)

// What the container runtime says of a pull, in containerd's, docker's and the registries' words.
var (
	wrongPlatform   = regexp.MustCompile(`(?i)no match(ing manifest)? for (platform|\w+/\w+)|does not match the specified platform`)
	pullUnwelcome   = regexp.MustCompile(`(?i)\bunauthorized\b|\b40[13]\b|\bforbidden\b|access denied|authorization failed|failed to authorize|authentication required|insufficient_scope|no basic auth credentials`)
	pullNotFound    = regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|\b404\b|no such image`)
	pullUnreachable = regexp.MustCompile(`(?i)connection refused|no such host|timeout|timed out|temporary failure|unreachable|reset by peer|\bEOF\b|\btls\b|certificate|\b50\d\b|too many requests|\b429\b`)
)

func pullFailure(o Observation, p *corev1.Pod, s corev1.ContainerStatus, w corev1.ContainerStateWaiting) Verdict {
	why := pullReason(o, p, w)
	image := s.Image
	if c := container(p, s.Name); c != nil {
		image = c.Image
	}
	said := strings.ReplaceAll(why, image, "") // whose own words mean nothing
	switch {
	case w.Reason == "InvalidImageName":
		return failed(ImagePull, "%q is no image name: %s", image, why)
	case w.Reason == "ErrImageNeverPull":
		return stalled(ImageNotFound, loadPatience, "image %s is not on the node, and a local image is never pulled", image)
	case wrongPlatform.MatchString(said):
		return failed(WrongArchitecture, "image %s is not built for the node's platform: %s", image, why)
	case pullUnwelcome.MatchString(said):
		return failed(RegistryRefused, "the registry does not let the node have image %s: %s", image, why)
	case pullUnreachable.MatchString(said): // before "not found", which lookups of hosts say too
		return stalled(ImagePull, pullPatience, "the node cannot get image %s: %s", image, why)
	case pullNotFound.MatchString(said):
		if strings.Trim(said, ": ") == "not found" {
			return failed(ImageNotFound, "there is no image %s", image)
		}
		return failed(ImageNotFound, "there is no image %s: %s", image, why)
	}
	return stalled(ImagePull, pullPatience, "the node cannot get image %s: %s", image, why)
}

// pullReason is why the image cannot be had. Older kubelets say it in an event only while they wait.
func pullReason(o Observation, p *corev1.Pod, w corev1.ContainerStateWaiting) string {
	why := brief(w.Message, w.Reason)
	if w.Reason == "ImagePullBackOff" && !strings.Contains(why, "ErrImagePull") {
		if e := o.lastEvent(p.UID, func(e *corev1.Event) bool { return e.Reason == "Failed" && strings.Contains(e.Message, "pull") }); e != nil {
			why = brief(e.Message, e.Reason)
		}
	}
	if _, rest, found := strings.Cut(why, "rpc error: code = "); found {
		if _, text, ok := strings.Cut(rest, "desc = "); ok {
			why = text
		}
	}
	return pullSteps.ReplaceAllString(why, "")
}

// pullSteps are what containerd says it was doing, one inside the other, each with the image's name; the last words are the cause.
var pullSteps = regexp.MustCompile(`(?:Back-off pulling image|failed to pull and unpack image|failed to resolve reference) "[^"]*": |ErrImagePull: |failed to do request: `)

// How the OCI runtime says that a command cannot be started (github.com/opencontainers/runc: libcontainer).
var (
	notThere      = regexp.MustCompile(`exec: "([^"]*)": (?:stat [^:]*: no such file or directory|executable file not found in \$PATH)`)
	notExecutable = regexp.MustCompile(`exec: "([^"]*)": permission denied`)
	otherFormat   = regexp.MustCompile(`exec format error`)
)

func startFailure(name, message, reason string) Verdict {
	message = brief(message, reason)
	if otherFormat.MatchString(message) {
		return failed(WrongArchitecture, "container %s cannot be started: its program is built for another processor (exec format error)", name)
	}
	if m := notThere.FindStringSubmatch(message); m != nil {
		return failed(CommandNotFound, "container %s cannot be started: the image has no %s", name, m[1])
	}
	if m := notExecutable.FindStringSubmatch(message); m != nil {
		return failed(CannotStart, "container %s cannot be started: %s is not executable", name, m[1])
	}
	return failed(CannotStart, "container %s cannot be started: %s", name, message)
}

// lastEnd is how the container's last run ended, or nil.
func lastEnd(s corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

// ends is how many of the container's runs have ended.
func ends(s corev1.ContainerStatus) int {
	n := int(s.RestartCount)
	if s.State.Running == nil && lastEnd(s) != nil { // the last one has not been followed by another yet
		n++
	}
	return n
}

// provenAfter is how long a container that has ended before must run to count as up where one look has to tell.
const provenAfter = time.Minute

// justBack reports whether a container's newest run is younger than that. A zero now makes none young.
func justBack(s corev1.ContainerStatus, now time.Time) bool {
	r := s.State.Running
	return r != nil && !now.IsZero() && now.Sub(r.StartedAt.Time) < provenAfter
}

// ending says how a run ended. An exit code above 128 is a signal's, by the shells' convention (man 1 bash: exit status).
func ending(t *corev1.ContainerStateTerminated, n int) string {
	if t == nil {
		return "ended " + times(n)
	}
	text := fmt.Sprintf("ended with exit code %d", t.ExitCode)
	if signal := syscall.Signal(t.ExitCode - 128); t.ExitCode > 128 && t.ExitCode < 160 {
		text = fmt.Sprintf("was ended by signal %d, %s (exit code %d)", signal, signal, t.ExitCode)
	}
	return text + ", " + times(n)
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

func container(p *corev1.Pod, name string) *corev1.Container {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers) {
		if c.Name == name {
			return &c
		}
	}
	return nil
}

func memoryLimit(p *corev1.Pod, name string) string {
	if c := container(p, name); c != nil && !c.Resources.Limits.Memory().IsZero() {
		return " of " + c.Resources.Limits.Memory().String()
	}
	return ""
}
