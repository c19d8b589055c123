package rollout

import (
	"regexp"
	"slices"
	"strings"
)

// Patterns for the API server's reasons to refuse a Pod that the app's own settings can remove. Sources:
// k8s.io/kubernetes/plugin/pkg/admission/limitranger, k8s.io/apiserver/pkg/admission/plugin/resourcequota,
// k8s.io/pod-security-admission/admission.
var (
	limitRange = regexp.MustCompile(
		`(?:maximum|minimum) (\S+) usage per \S+ is [^ ,]+?(?:, but (limit|request) is|\.\s+No (limit|request) is)`)
	mustSpecify = regexp.MustCompile(`must specify (.+)`)
	podSecurity = regexp.MustCompile(`violates PodSecurity "([^"]+)"`)
)

// violations returns what a refused Pod must set differently: requests.R and limits.R for a resource R, HostPath and
// SecurityContext.
func violations(message string) []string {
	var out []string
	for _, m := range limitRange.FindAllStringSubmatch(message, -1) {
		out = append(out, m[2]+m[3]+"s."+m[1])
	}
	if m := mustSpecify.FindStringSubmatch(message); m != nil {
		for part := range strings.SplitSeq(m[1], "; ") {
			what, _, _ := strings.Cut(part, " for: ") // the containers
			if !strings.Contains(what, ".") {         // plain cpu and memory are requests
				what = "requests." + what
			}
			out = append(out, what)
		}
	}
	if podSecurity.MatchString(message) {
		if strings.Contains(message, "hostPath") {
			out = append(out, HostPath)
		}
		if strings.Contains(message, "securityContext") {
			out = append(out, SecurityContext)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// What Pod Security forbids, in Verdict.Violations.
const (
	HostPath        = "hostPath"
	SecurityContext = "securityContext"
)
