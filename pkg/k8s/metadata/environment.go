package metadata

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EnvironmentLabel is the label of the objects of an app whose infraspec has environments. Pods do not have it, because
// a new label would replace them.
const EnvironmentLabel = "norn/environment"

// EnvironmentOf returns the environment that an object belongs to, or "".
func EnvironmentOf(o metav1.Object) string { return o.GetLabels()[EnvironmentLabel] }
