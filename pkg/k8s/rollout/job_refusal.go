package rollout

import (
	"fmt"
	"strings"
)

// DescribeRefusal returns why a Job cannot create its Pod, given the Job's warning, and what to do about it. The
// messages are those of the API server's admission plugins (k8s.io/pod-security-admission, k8s.io/apiserver/pkg/
// admission/plugin/resourcequota).
func DescribeRefusal(namespace, warning string) string {
	text := "it cannot create its Pod: " + warning
	switch {
	case strings.Contains(warning, "violates PodSecurity"):
		return text + fmt.Sprintf("\nset these fields in the CronJob with kubectl patch, which norn keeps, "+
			"or lower the level: kubectl label namespace %s pod-security.kubernetes.io/enforce=baseline --overwrite", namespace)
	case strings.Contains(warning, "exceeded quota"):
		return text + "\nraise the quota, or lower resources in the infraspec"
	case strings.Contains(warning, "failed quota"):
		return text + "\nset resources in the infraspec: the quota requires them"
	case strings.Contains(warning, "denied the request"), strings.Contains(warning, "ValidatingAdmissionPolicy"):
		return text + "\nask the cluster's admin about this policy"
	}
	return text
}
