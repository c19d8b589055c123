package drift

import "strings"

// defaults maps the ends of field paths to the values that the API server sets where an object omits the field
// (k8s.io/kubernetes/pkg/apis/core/v1/defaults.go). Only the fields of a Pod template matter: a rollback makes forge own
// a whole template, with its defaults.
var defaults = map[string]any{
	"dnsPolicy":                     "ClusterFirst",
	"failureThreshold":              3.0,
	"fieldRef.apiVersion":           "v1",
	"httpGet.scheme":                "HTTP",
	"periodSeconds":                 10.0,
	"protocol":                      "TCP",
	"restartPolicy":                 "Always",
	"schedulerName":                 "default-scheduler",
	"secret.defaultMode":            420.0,
	"successThreshold":              1.0,
	"terminationGracePeriodSeconds": 30.0,
	"terminationMessagePath":        "/dev/termination-log",
	"terminationMessagePolicy":      "File",
	"timeoutSeconds":                1.0,
}

// isDefault reports whether a field without a desired value has the value that the API server would give it again.
func isDefault(path string, live any) bool {
	if empty(live) {
		return true
	}
	for field, value := range defaults {
		if live == value && strings.HasSuffix("."+path, "."+field) {
			return true
		}
	}
	return false
}
