package job

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podMeta returns the metadata of a Job's Pod. norn's labels take precedence.
func podMeta(r Request, labels map[string]string) metav1.ObjectMeta {
	all := maps.Clone(r.Labels)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, labels)
	return metav1.ObjectMeta{Labels: all, Annotations: r.Annotations}
}
