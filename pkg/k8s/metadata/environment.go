package metadata

import (
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EnvironmentLabel is the label of the objects of an app whose infraspec has environments. Pods do not have it, because
// a new label would replace them.
const EnvironmentLabel = "norn/environment"

// ExpiresAnnotation is the annotation of a preview's objects with the time at which the preview expires. Each deploy
// and forge renews it. norn writes it apart from what the infraspec sets, like its other marks.
const ExpiresAnnotation = "norn/expires"

// EnvironmentValue returns the value of EnvironmentLabel for an environment, such as preview.pr-12 for preview/pr-12. A
// label cannot have a slash, and the names on either side have no dot.
func EnvironmentValue(environment string) string { return strings.Replace(environment, "/", ".", 1) }

// EnvironmentOf returns the environment that an object belongs to, such as staging or preview/pr-12, or "".
func EnvironmentOf(o metav1.Object) string {
	return strings.Replace(o.GetLabels()[EnvironmentLabel], ".", "/", 1)
}

// Expires returns when the preview that an object belongs to expires, or zero if the object does not tell. A value that
// somebody else wrote does not count, such as an earlier one that kubectl rollout undo brings back.
func Expires(o metav1.Object) time.Time {
	if !owns(o, ForgeManager, ExpiresAnnotation) {
		return time.Time{}
	}
	return parseTime(o.GetAnnotations()[ExpiresAnnotation])
}
