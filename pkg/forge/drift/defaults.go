package drift

import "reflect"

// serverDefaults are the values that the API server gives to fields of a Deployment and of its Pod template if nobody
// sets them (k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go and core/v1/defaults.go).
var serverDefaults = map[string]any{
	"dnsPolicy":                     "ClusterFirst",
	"failureThreshold":              3.0,
	"maxSurge":                      "25%",
	"maxUnavailable":                "25%",
	"periodSeconds":                 10.0,
	"progressDeadlineSeconds":       600.0,
	"protocol":                      "TCP",
	"restartPolicy":                 "Always",
	"schedulerName":                 "default-scheduler",
	"scheme":                        "HTTP",
	"successThreshold":              1.0,
	"terminationGracePeriodSeconds": 30.0,
	"terminationMessagePath":        "/dev/termination-log",
	"terminationMessagePolicy":      "File",
	"timeoutSeconds":                1.0,
}

// isDefault reports whether a live field has the value that the API server would give it again. A rollback and the end
// of a canary make forge the owner of such fields, because what they restore has them.
func isDefault(name string, have any) bool {
	value, known := serverDefaults[name]
	return empty(have) || known && reflect.DeepEqual(have, value)
}
