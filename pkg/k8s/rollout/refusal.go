package rollout

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Refusal is what the API server's message about a refused Pod means.
type Refusal struct {
	// Quota is whether the Pod does not fit into what a ResourceQuota has left, and Resources what is exhausted, sorted,
	// such as "cpu".
	Quota     bool
	Resources []string
	// Never is whether the Pod would not fit into the ResourceQuota even if nothing else were used.
	Never bool
	// Webhook reports whether an admission webhook refused the Pod, Policy whether a ValidatingAdmissionPolicy did, and
	// Image whether the ImagePolicyWebhook did, which judges only images. A webhook can look at an image in its registry;
	// a ValidatingAdmissionPolicy knows only its name.
	Webhook, Policy, Image bool
	// Violations is what the Pod must set differently, sorted: requests.R and limits.R for a resource R, or one of the
	// constants.
	Violations []string
}

// What a policy forbids or requires, in Violations.
const (
	HostPath        = "hostPath"        // the volume is forbidden
	SecurityContext = "securityContext" // a security context is missing
	Privilege       = "privilege"       // Pod Security forbids a field that norn does not set
	Constraint      = "constraint"      // no SecurityContextConstraint of OpenShift allows the Pod
	Probe           = "probe"           // a policy requires probes
	Account         = "account"         // the ServiceAccount does not exist
)

// Patterns for the API server's reasons to refuse a Pod that the app's own settings can remove. Sources:
// k8s.io/kubernetes/plugin/pkg/admission/limitranger, k8s.io/apiserver/pkg/admission/plugin/resourcequota,
// k8s.io/pod-security-admission/policy, k8s.io/kubernetes/plugin/pkg/admission/{serviceaccount,imagepolicy},
// openshift/apiserver-library-go/pkg/securitycontextconstraints, kyverno/policies.
var (
	limitRange = regexp.MustCompile(
		`(?:maximum|minimum) (\S+) usage per \S+ is [^ ,]+?(?:, but (limit|request) is|\.\s+No (limit|request) is)`)
	mustSpecify    = regexp.MustCompile(`must specify (.+)`)
	podSecurity    = regexp.MustCompile(`violates PodSecurity "([^"]+)"`)
	mustSetContext = regexp.MustCompile(`must set securityContext`)
	mustNotSet     = regexp.MustCompile(`must not (?:set|include)|host namespaces|hostPort`)
	constraint     = regexp.MustCompile(`unable to validate against any security context constraint`)
	noAccount      = regexp.MustCompile(`error looking up service account|service account \S+ was not found`)
	policyContext  = regexp.MustCompile(
		`runAsNonRoot|allowPrivilegeEscalation|seccompProfile|capabilities[./]drop|(?i:drop .?ALL\b)`)
	policyResource = regexp.MustCompile(`resources[./](limits|requests)[./](cpu|memory|ephemeral-storage)`)
	policyProbe    = regexp.MustCompile(`(?i)(?:liveness|readiness).*probe`)
	imageDenied    = regexp.MustCompile(`image policy webhook backend denied|images rejected by webhook backend`)
	quotaAmounts   = regexp.MustCompile(`exceeded quota: .*requested: (\S+), used: \S+, limited: (\S+)`)
)

// ParseRefusal returns what a message of the API server means.
func ParseRefusal(message string) Refusal {
	if strings.Contains(message, "exceeded quota") {
		r := Refusal{Quota: true}
		if m := exceededQuota.FindStringSubmatch(message); m != nil {
			r.Resources = names(quotaResource, m[1])
		}
		if m := quotaAmounts.FindStringSubmatch(message); m != nil {
			r.Never = exceeds(amounts(m[1]), amounts(m[2]))
		}
		return r
	}
	return Refusal{
		Webhook: strings.Contains(message, webhookDenied), Policy: strings.Contains(message, policyDenied),
		Image: imageDenied.MatchString(message), Violations: violations(message),
	}
}

// amounts parses a list such as "cpu=1,pods=2".
func amounts(list string) map[string]resource.Quantity {
	out := map[string]resource.Quantity{}
	for part := range strings.SplitSeq(list, ",") {
		name, amount, _ := strings.Cut(part, "=")
		if q, err := resource.ParseQuantity(amount); err == nil {
			out[name] = q
		}
	}
	return out
}

// exceeds reports whether one of the amounts is larger than its limit.
func exceeds(want, limits map[string]resource.Quantity) bool {
	return slices.ContainsFunc(slices.Collect(maps.Keys(want)), func(name string) bool {
		amount, limit := want[name], limits[name]
		_, limited := limits[name]
		return limited && amount.Cmp(limit) > 0
	})
}

// violations returns what a refused Pod must set differently; see Refusal.
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
	switch {
	case podSecurity.MatchString(message):
		out = append(out, podSecurityViolations(message)...)
	case constraint.MatchString(message) && strings.Contains(message, "hostPath volumes are not allowed"):
		out = append(out, HostPath)
	case constraint.MatchString(message):
		out = append(out, Constraint)
	case noAccount.MatchString(message):
		out = append(out, Account)
	case refusedByPolicy(message):
		out = append(out, policyViolations(message)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func podSecurityViolations(message string) []string {
	var out []string
	if strings.Contains(message, "hostPath") {
		out = append(out, HostPath)
	}
	if mustSetContext.MatchString(message) {
		out = append(out, SecurityContext)
	}
	if mustNotSet.MatchString(message) {
		out = append(out, Privilege)
	}
	return out
}

// What webhooks and ValidatingAdmissionPolicies have in their refusals. Sources, in k8s.io/apiserver/pkg/admission:
// plugin/webhook/errors, plugin/policy/validating.
const (
	webhookDenied = "denied the request"
	policyDenied  = "denied request"
)

// refusedByPolicy reports whether a webhook or a ValidatingAdmissionPolicy wrote the message.
func refusedByPolicy(message string) bool {
	return strings.Contains(message, webhookDenied) || strings.Contains(message, policyDenied)
}

// policyViolations returns the fields that a policy's author names in its message.
func policyViolations(message string) []string {
	var out []string
	for _, m := range policyResource.FindAllStringSubmatch(message, -1) {
		out = append(out, m[1]+"."+m[2])
	}
	if policyContext.MatchString(message) {
		out = append(out, SecurityContext)
	}
	if policyProbe.MatchString(message) {
		out = append(out, Probe)
	}
	return out
}

// Refusal returns what a verdict with the Reason PodsRefused or QuotaExceeded says about the refused Pods.
func (v Verdict) Refusal() Refusal {
	return Refusal{Quota: v.Reason == QuotaExceeded, Resources: v.Resources, Violations: v.Violations}
}
