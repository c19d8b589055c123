package rollout

import (
	"cmp"
	"fmt"
	"regexp"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How long a claim may lack its volume if the cluster has reported why. Without a report, the claim may lack it for the
// whole rollout: a provisioner needs seconds to minutes for a disk.
const (
	missingPatience   = 15 * time.Second // no such claim or StorageClass, or no StorageClass at all
	provisionPatience = 30 * time.Second // the provisioner has failed; it tries again, and the error may have been short
)

// Patterns for messages about claims that have no field. Sources: k8s.io/kubernetes/pkg/controller/volume/
// persistentvolume/pv_controller.go, pkg/scheduler/framework/plugins/volumebinding,
// github.com/kubernetes-csi/external-provisioner/pkg/controller (checkError): after these codes of gRPC, the volume may
// still be on its way.
var (
	missingClaim   = regexp.MustCompile(`(?i)persistentvolumeclaim "?([\w.-]+)"? not found`)
	noVolumeOnNode = regexp.MustCompile(`didn't find available persistent volumes`)
	missingClass   = regexp.MustCompile(`(?i)storageclass\S* "?[^ ]*"? not found`)
	inBackground   = regexp.MustCompile(`code = (Canceled|DeadlineExceeded|Unavailable|Aborted)\b`)
)

// failedBinding is the reason of the event about a claim that no StorageClass provides for. It is not a warning.
const failedBinding = "FailedBinding"

// unbound returns the verdict for a Pod that waits for a claim, with what the cluster reports about its claims. message
// is the scheduler's.
func unbound(o Observation, p *corev1.Pod, message string) Verdict {
	var patience time.Duration
	switch {
	case missingClaim.MatchString(message):
		patience = missingPatience
	case noVolumeOnNode.MatchString(message):
		patience = schedulePatience
	}
	var blamed, pending, first, reports string
	for _, name := range claimNames(p) {
		first = cmp.Or(first, name)
		claim := o.claim(name)
		if claim == nil || claim.Status.Phase == corev1.ClaimBound {
			continue
		}
		pending = cmp.Or(pending, name)
		e, limit := o.claimReport(claim)
		if e == nil {
			continue
		}
		reports += "; claim " + name + ": " + brief(e.Message, e.Reason)
		if limit > 0 {
			blamed = cmp.Or(blamed, name)
			if patience == 0 || limit < patience {
				patience = limit
			}
		}
	}
	claim := cmp.Or(blamed, pending, first)
	text := fmt.Sprintf("no node can run Pod %s: %s%s", p.Name, message, reports)
	if patience == 0 {
		text = fmt.Sprintf("Pod %s waits for the volume of claim %s: %s%s", p.Name, claim, message, reports)
	}
	v := stalled(VolumeNotBound, patience, "%s", text)
	v.Claim = claim
	return v
}

// claimReport returns the event that says why a claim has no volume, or else the newest event, and how long the claim
// may stay like that. 0 means as long as the rollout.
func (o Observation) claimReport(claim *corev1.PersistentVolumeClaim) (*corev1.Event, time.Duration) {
	newest := o.lastEvent(claim.UID, func(*corev1.Event) bool { return true })
	warning := o.lastEvent(claim.UID, isWarning)
	switch {
	case warning == nil && newest != nil && newest.Reason == failedBinding:
		return newest, missingPatience
	case warning == nil, inBackground.MatchString(warning.Message):
		return newest, 0
	case missingClass.MatchString(warning.Message):
		return warning, missingPatience
	}
	return warning, provisionPatience
}

func claimNames(p *corev1.Pod) []string { return ClaimNames(p.Spec) }

// ClaimNames returns the claims that a Pod mounts, in the order of its volumes.
func ClaimNames(pod corev1.PodSpec) []string {
	var out []string
	for _, v := range pod.Volumes {
		if v.PersistentVolumeClaim != nil {
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		}
	}
	return out
}
