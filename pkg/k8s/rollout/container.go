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

// pullPatience is how long a registry may be unreachable.
const pullPatience = 15 * time.Second

// loadPatience is how long a node may take to notice an image that was just loaded into its containerd.
const loadPatience = 5 * time.Second

// containersFailure returns the verdict for the first container that cannot start, or a Progressing verdict.
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
	if ends(s) <= o.allowedRestarts() || s.Ready && !justRestarted(s, o.Now) {
		return Verdict{}
	}
	if r := killedBy(o, p, s.Name); r != nil {
		reason := LivenessKilled
		if r.probe == "startup" {
			reason = ProbeFailing
		}
		v := failed(reason, "container %s was killed %s by its %s probe: %s", s.Name, times(ends(s)), r.probe, r.text)
		v.Port = r.refusedPort
		return v
	}
	if t != nil && t.Reason == "OOMKilled" {
		return failed(OutOfMemory, "container %s was killed %s at its memory limit%s",
			s.Name, times(ends(s)), memoryLimit(p, s.Name))
	}
	return failed(CrashLoop, "container %s %s", s.Name, ending(t, ends(s)))
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

// Patterns for the messages of container runtimes and registries about a failed pull. The kubelet passes their text
// on, with one reason for all of them (github.com/containerd/containerd/core/remotes/docker, github.com/moby/moby,
// github.com/distribution/distribution).
var (
	wrongPlatform = regexp.MustCompile(`(?i)no match(ing manifest)? for (platform|\w+/\w+)|` +
		`does not match the specified platform`)
	pullForbidden = regexp.MustCompile(`(?i)\bunauthorized\b|\b40[13]\b|\bforbidden\b|access denied|` +
		`authorization failed|failed to authorize|authentication required|insufficient_scope|no basic auth credentials`)
	pullNotFound    = regexp.MustCompile(`(?i)not found|manifest unknown|name unknown|\b404\b|no such image`)
	pullUnreachable = regexp.MustCompile(`(?i)connection refused|no such host|timeout|timed out|temporary failure|` +
		`unreachable|reset by peer|\bEOF\b|\btls\b|certificate|\b50\d\b|too many requests|\b429\b`)
)

func pullFailure(o Observation, p *corev1.Pod, s corev1.ContainerStatus, w corev1.ContainerStateWaiting) Verdict {
	cause := pullCause(o, p, w)
	image := s.Image
	if c := container(p, s.Name); c != nil {
		image = c.Image
	}
	text := strings.ReplaceAll(cause, image, "") // the image's name may contain any of the words below
	switch {
	case w.Reason == "InvalidImageName":
		return failed(ImagePull, "invalid image name %q: %s", image, cause)
	case w.Reason == "ErrImageNeverPull":
		return stalled(ImageNotFound, loadPatience, "image %s is not on the node, and local images are never pulled", image)
	case wrongPlatform.MatchString(text):
		return failed(WrongArchitecture, "image %s is not built for the node's platform: %s", image, cause)
	case pullForbidden.MatchString(text):
		return failed(RegistryRefused, "the registry does not allow the node to pull image %s: %s", image, cause)
	case pullUnreachable.MatchString(text): // before "not found", which DNS errors contain too
		return stalled(ImagePull, pullPatience, "the node cannot pull image %s: %s", image, cause)
	case pullNotFound.MatchString(text):
		if strings.Trim(text, ": ") == "not found" {
			return failed(ImageNotFound, "image %s does not exist", image)
		}
		return failed(ImageNotFound, "image %s does not exist: %s", image, cause)
	}
	return stalled(ImagePull, pullPatience, "the node cannot pull image %s: %s", image, cause)
}

// pullCause returns why the node cannot pull the image. During a back-off, older kubelets report the cause only in an
// event.
func pullCause(o Observation, p *corev1.Pod, w corev1.ContainerStateWaiting) string {
	cause := brief(w.Message, w.Reason)
	if w.Reason == "ImagePullBackOff" && !strings.Contains(cause, "ErrImagePull") {
		e := o.lastEvent(p.UID, func(e *corev1.Event) bool {
			return e.Reason == "Failed" && strings.Contains(e.Message, "pull")
		})
		if e != nil {
			cause = brief(e.Message, e.Reason)
		}
	}
	if _, rest, found := strings.Cut(cause, "rpc error: code = "); found {
		if _, text, ok := strings.Cut(rest, "desc = "); ok {
			cause = text
		}
	}
	return pullSteps.ReplaceAllString(cause, "")
}

// pullSteps matches the nested prefixes in containerd's errors, which name its step and the image. The cause comes
// last.
var pullSteps = regexp.MustCompile(`(?:Back-off pulling image|failed to pull and unpack image|` +
	`failed to resolve reference) "[^"]*": |ErrImagePull: |failed to do request: `)

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

// lastEnd returns how the container's last run ended, or nil.
func lastEnd(s corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

// ends returns how many of the container's runs have ended.
func ends(s corev1.ContainerStatus) int {
	n := int(s.RestartCount)
	if s.State.Running == nil && lastEnd(s) != nil { // the kubelet has not restarted it yet
		n++
	}
	return n
}

// provenAfter is how long a restarted container must run before a single observation counts it as running.
const provenAfter = time.Minute

// justRestarted reports whether the container has run for less than provenAfter. It is false if now is zero.
func justRestarted(s corev1.ContainerStatus, now time.Time) bool {
	r := s.State.Running
	return r != nil && !now.IsZero() && now.Sub(r.StartedAt.Time) < provenAfter
}

// ending returns a phrase for how a container's last run ended, and for the number n of ended runs. By the shells'
// convention, an exit code above 128 stands for a signal (man 1 bash: Exit Status).
func ending(t *corev1.ContainerStateTerminated, n int) string {
	if t == nil {
		return "ended " + times(n)
	}
	text := fmt.Sprintf("ended with exit code %d", t.ExitCode)
	if signal := syscall.Signal(t.ExitCode - 128); t.ExitCode > 128 && t.ExitCode < 160 {
		text = fmt.Sprintf("was killed by signal %d, %s (exit code %d)", signal, signal, t.ExitCode)
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
