package objects

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ClaimDeletionError reports a claim that is being deleted. Kubernetes deletes it, usually with its data, as soon as no
// Pod mounts it. A command that ends the app's Pods must therefore refuse to run.
type ClaimDeletionError struct {
	App    string
	Claim  string
	Volume string // name of its PersistentVolume
	Since  time.Time
}

// Error names the claim and says what happens to its data.
func (e *ClaimDeletionError) Error() string { return DescribeClaimDeletion(e.Claim, e.Since) }

// Hint returns how to save the data.
func (e *ClaimDeletionError) Hint() string {
	return fmt.Sprintf("save the data before %s's Pods end: copy it out with kubectl cp, or keep the volume with "+
		`kubectl patch pv %s -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'; see docs/troubleshooting.md`,
		e.App, cmp.Or(e.Volume, "NAME"))
}

// DescribeClaimDeletion returns what the deletion of a claim means.
func DescribeClaimDeletion(claim string, since time.Time) string {
	return fmt.Sprintf("PersistentVolumeClaim %s is being deleted (since %s): its data is deleted when its last Pod ends",
		claim, since.UTC().Format(time.RFC3339))
}

// CheckClaims returns a *ClaimDeletionError if one of the claims that the app's Pods mount is being deleted.
func CheckClaims(app string, pod *corev1.PodSpec, claims []corev1.PersistentVolumeClaim) error {
	for i := range claims {
		c := &claims[i]
		if c.DeletionTimestamp != nil && mountsClaim(pod, c.Name) {
			return &ClaimDeletionError{app, c.Name, c.Spec.VolumeName, c.DeletionTimestamp.Time}
		}
	}
	return nil
}

func mountsClaim(pod *corev1.PodSpec, claim string) bool {
	return slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim
	})
}
