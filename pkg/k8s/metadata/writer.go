package metadata

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const templateField = `"f:template":`

// TemplateWriter returns the field manager, such as kubectl-set, that has changed a Deployment's Pod template since
// before. at is the time of the change by the API server's clock. If the managed fields do not tell, manager is "".
func TemplateWriter(before, now metav1.Object) (manager string, at time.Time) {
	return writer(before, now, templateField)
}

// IsTemplateOfOthers reports whether somebody other than norn has changed a Deployment's Pod template last.
func IsTemplateOfOthers(d metav1.Object) bool {
	_, theirs := TemplateWriter(&metav1.ObjectMeta{}, d)
	return !theirs.IsZero() && !slices.ContainsFunc(d.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool {
		return isNorn(m) && Covers(m, templateField) && m.Time != nil && m.Time.After(theirs)
	})
}

// PauseWriter is like TemplateWriter, for who paused a Deployment.
func PauseWriter(before, now metav1.Object) (manager string, at time.Time) {
	return writer(before, now, `"f:paused":`)
}

// writer returns who has changed a field since before, and when. It ignores norn.
func writer(before, now metav1.Object, field string) (manager string, at time.Time) {
	for _, m := range now.GetManagedFields() {
		if m.Subresource != "" || isNorn(m) || m.Time == nil || !Covers(m, field) {
			continue
		}
		unchanged := slices.ContainsFunc(before.GetManagedFields(), func(old metav1.ManagedFieldsEntry) bool {
			return old.Manager == m.Manager && old.Operation == m.Operation && old.Time != nil && old.Time.Equal(m.Time)
		})
		if !unchanged && !m.Time.Time.Before(at) {
			manager, at = m.Manager, m.Time.Time
		}
	}
	return manager, at
}

func isNorn(m metav1.ManagedFieldsEntry) bool {
	return m.Manager == ForgeManager || m.Manager == DeployManager
}

// Covers reports whether an entry has a field, such as "f:data" with its quotes, at any depth.
func Covers(m metav1.ManagedFieldsEntry, field string) bool {
	return m.FieldsV1 != nil && strings.Contains(m.FieldsV1.GetRawString(), field)
}
