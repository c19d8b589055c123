package objects

import (
	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// Enforced is what a namespace requires of its Pods. The zero Enforced requires nothing, or is unknown.
type Enforced struct {
	Level infraspec.Security // the Pod Security Standard, or ""
	// AssignsIDs reports whether the cluster assigns users and groups to the Pods, as OpenShift does. A fixed group would
	// then be refused, and the image's user does not matter.
	AssignsIDs bool
}

// volumeGroup is the group that owns the claims of an app that is not root. It can be any number: the kubelet adds it
// to the groups of the container's processes, whatever the image's user is. This one is that of distroless images.
const volumeGroup = 65532

// SecurityOf returns the Pod Security Standard that the app's Pods meet: that of the infraspec, or else the one that
// the namespace enforces.
func SecurityOf(spec *infraspec.Spec, s Settings) infraspec.Security {
	if spec.Pod.Security != "" {
		return spec.Pod.Security
	}
	return s.Enforced.Level
}

// withSecurity sets what the Pod Security Standard restricted requires (kubernetes.io: Pod Security Standards). It
// never sets a user: the image has one. The other standards require only the absence of settings.
func withSecurity(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec, s Settings) {
	if SecurityOf(spec, s) != infraspec.Restricted {
		return
	}
	context := applycore.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithSeccompProfile(applycore.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
	if len(ClaimedVolumes(spec)) > 0 && !s.Enforced.AssignsIDs {
		context.WithFSGroup(volumeGroup).WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch)
	}
	pod.WithSecurityContext(context)
	for i := range pod.Containers {
		pod.Containers[i].WithSecurityContext(applycore.SecurityContext().
			WithAllowPrivilegeEscalation(false).
			WithCapabilities(applycore.Capabilities().WithDrop("ALL")))
	}
}

// NeedsUser reports whether the kubelet runs the app's image only if its USER is a number other than 0: the Pod must
// not run as root, and nothing else sets its user.
func NeedsUser(spec *infraspec.Spec, s Settings) (bool, error) {
	if s.Enforced.AssignsIDs {
		return false, nil
	}
	conf, err := podFor(spec, s, nil)
	if err != nil {
		return false, err
	}
	var nonRoot, user bool
	if c := conf.SecurityContext; c != nil {
		nonRoot, user = c.RunAsNonRoot != nil && *c.RunAsNonRoot, c.RunAsUser != nil
	}
	for _, c := range conf.Containers {
		if *c.Name != spec.App || c.SecurityContext == nil {
			continue
		}
		if c.SecurityContext.RunAsNonRoot != nil {
			nonRoot = *c.SecurityContext.RunAsNonRoot
		}
		user = user || c.SecurityContext.RunAsUser != nil
	}
	return nonRoot && !user, nil
}
