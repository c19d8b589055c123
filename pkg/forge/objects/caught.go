package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// Catch is a Service that norn does not manage for an app, and that sends requests to the Pods of one of its processes.
type Catch struct{ Service, Process, Selector string }

// Catches returns the Services among all that select the Pods of a process other than the main one. They usually mean
// the main process alone, and select by labels that the Pods of all processes have.
func Catches(all []corev1.Service, spec *infraspec.Spec, s Settings) []Catch {
	var found []Catch
	for _, w := range spec.Workloads()[1:] {
		if !w.Role.Standing() {
			continue
		}
		conf, err := Deployment(w, s, nil)
		if err != nil {
			continue // reported elsewhere
		}
		pods := labels.Set(conf.Spec.Template.Labels)
		for i := range all {
			selector := all[i].Spec.Selector
			if len(selector) == 0 || metadata.IsOwned(&all[i], spec.App) || !labels.SelectorFromSet(selector).Matches(pods) {
				continue
			}
			text := metav1.FormatLabelSelector(metav1.SetAsLabelSelector(selector))
			found = append(found, Catch{all[i].Name, w.Process, text})
		}
	}
	return found
}
