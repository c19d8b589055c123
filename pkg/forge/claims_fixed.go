package forge

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s/metadata"
)

// FixedError reports that the infraspec changes a property of an existing claim that Kubernetes never changes.
type FixedError struct {
	Claim, Key string // Key is the key of the volume: class or access
	Have, Want string // values; Want is "" if the infraspec no longer sets the key
}

// Error names the claim and both values.
func (e *FixedError) Error() string {
	want := "asks for " + e.Want
	if e.Want == "" {
		want = "no longer sets it"
	}
	return fmt.Sprintf("PersistentVolumeClaim %s has %s %s, but the infraspec %s: the %[2]s of a claim cannot change",
		e.Claim, e.Key, e.Have, want)
}

// Hint returns what to change.
func (e *FixedError) Hint() string {
	return fmt.Sprintf("set %s: %s, or rename the volume and move the data", e.Key, e.Have)
}

// checkFixed returns an error if the infraspec changes the class or the access of an existing claim. The API server
// would refuse it, after other objects have changed.
func (r *run) checkFixed() error {
	var errs []error
	for _, conf := range objects.Claims(r.spec, r.options.Settings) {
		live := r.live.claims[*conf.Name]
		if live == nil {
			continue
		}
		have, want := "", ""
		if live.Spec.StorageClassName != nil {
			have = *live.Spec.StorageClassName
		}
		if conf.Spec.StorageClassName != nil {
			want = *conf.Spec.StorageClassName
		}
		if want != have && (want != "" || appliedClass(live)) {
			errs = append(errs, &FixedError{*conf.Name, "class", have, want})
		}
		if mode := conf.Spec.AccessModes; !slices.Equal(mode, live.Spec.AccessModes) {
			errs = append(errs, &FixedError{*conf.Name, "access", accessModes(live.Spec.AccessModes), accessModes(mode)})
		}
	}
	return errors.Join(errs...)
}

func accessModes(modes []corev1.PersistentVolumeAccessMode) string {
	var names []string
	for _, m := range modes {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// appliedClass reports whether forge has set the class of a claim. If the infraspec then drops it, the apply would
// remove it.
func appliedClass(c *corev1.PersistentVolumeClaim) bool {
	return slices.ContainsFunc(c.ManagedFields, func(m metav1.ManagedFieldsEntry) bool {
		return m.Manager == metadata.ForgeManager && metadata.Covers(m, `"f:storageClassName"`)
	})
}

// stopsFirst says that the running Pods end before new ones start, and why, or returns "".
func (r *run) stopsFirst() string {
	v, i := r.spec.Exclusive()
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("the running Pods stop first, because of PersistentVolumeClaim %s (%s)",
		objects.ClaimName(r.spec.App, v.Name), v.Mode())
}
