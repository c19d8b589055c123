package route

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"norn/pkg/infraspec"
)

// Verdict says whether a controller routes an app's hosts.
type Verdict struct {
	Ready   bool
	Detail  string // where the route leads in, or what is missing, or why the controller refuses it
	Refused bool   // the controller has said no, which it may still take back
	Unsure  bool   // only an address is missing, and some controllers publish none
	Hint    string // what to do, unless it is ready
	Warning string // what does not work although the route is ready, or ""
	reason  string // of the condition that is not true, or ""
}

// JudgeIngress returns the verdict on an Ingress. Its controller publishes an address, and reports nothing else.
func JudgeIngress(i *networkingv1.Ingress, spec *infraspec.Spec) Verdict {
	var at []string
	for _, a := range i.Status.LoadBalancer.Ingress {
		switch {
		case a.Hostname != "":
			at = append(at, a.Hostname)
		case a.IP != "":
			at = append(at, a.IP)
		}
	}
	if len(at) > 0 {
		return Verdict{Ready: true, Detail: "at " + strings.Join(at, ", ")}
	}
	return Verdict{
		Unsure: true,
		Detail: fmt.Sprintf("the controller of IngressClass %s has published no address for it", spec.Route.Ingress),
		Hint:   "check that the controller runs and watches this namespace; some controllers never publish one",
	}
}

// The types of conditions (gateway-api.sigs.k8s.io: API specification).
const (
	accepted     = "Accepted"
	resolvedRefs = "ResolvedRefs"
	programmed   = "Programmed"
)

// noMatchingParent is the reason why a route has no listener. Controllers also give it for a listener that they ignore
// because its references do not resolve, such as that to its certificate.
const noMatchingParent = "NoMatchingParent"

// addressNotAssigned is the reason why a Gateway is not programmed that has no address yet. On clusters without load
// balancers, it may never have one and yet route requests.
const addressNotAssigned = "AddressNotAssigned"

// routeStatus is the status of an HTTPRoute, for each parent and its controller.
type routeStatus struct {
	Parents []struct {
		ParentRef struct {
			Kind        *string `json:"kind"`
			Namespace   *string `json:"namespace"`
			Name        string  `json:"name"`
			SectionName *string `json:"sectionName"`
		} `json:"parentRef"`
		Conditions []metav1.Condition `json:"conditions"`
	} `json:"parents"`
}

// gatewayStatus is the status of a Gateway.
type gatewayStatus struct {
	Conditions []metav1.Condition `json:"conditions"`
	Listeners  []struct {
		Name       string             `json:"name"`
		Conditions []metav1.Condition `json:"conditions"`
	} `json:"listeners"`
}

// JudgeHTTPRoute returns the verdict on an HTTPRoute of spec's app. gateway is nil if the user cannot read it.
func JudgeHTTPRoute(route, gateway *unstructured.Unstructured, spec *infraspec.Spec) Verdict {
	v := judgeRoute(route, spec)
	if gateway != nil && v.reason == noMatchingParent {
		var status gatewayStatus
		_ = decode(gateway.Object["status"], &status)
		return worstListener(status, gateway.GetGeneration(), v, spec)
	}
	if gateway == nil || !v.Ready && v.Refused {
		return v
	}
	g := judgeGateway(gateway, spec)
	switch {
	case !g.Ready && (g.Refused || v.Ready):
		return g
	case !v.Ready:
		return v
	}
	v.Warning = g.Warning
	return v
}

// judgeRoute returns the verdict on the HTTPRoute alone. If several controllers report about the Gateway, the best
// report counts.
func judgeRoute(route *unstructured.Unstructured, spec *infraspec.Spec) Verdict {
	var status routeStatus
	_ = decode(route.Object["status"], &status)
	namespace, name := spec.Route.SplitGateway()
	best := Verdict{
		Detail: fmt.Sprintf("no controller has answered for Gateway %s", spec.Route.Gateway),
		Hint: "check that the controller of the Gateway's class runs, watches this namespace and supports " +
			"HTTPRoutes of " + route.GetAPIVersion(),
	}
	for _, p := range status.Parents {
		ref := p.ParentRef
		its := route.GetNamespace()
		if ref.Namespace != nil {
			its = *ref.Namespace
		}
		section := ""
		if ref.SectionName != nil {
			section = *ref.SectionName
		}
		if its != namespace || ref.Name != name || section != spec.Route.Section {
			continue
		}
		v := Verdict{Ready: true, Detail: "through Gateway " + spec.Route.Gateway}
		for _, kind := range []string{accepted, resolvedRefs} {
			if v.Ready {
				v = judgeCondition(p.Conditions, kind, route.GetGeneration(), v, spec)
			}
		}
		if v.Ready || !best.Refused {
			best = v
		}
		if best.Ready {
			return best
		}
	}
	return best
}

// judgeCondition returns v if a condition is true, and else the verdict about the condition.
func judgeCondition(
	all []metav1.Condition, kind string, generation int64, v Verdict, spec *infraspec.Spec,
) Verdict {
	for _, c := range all {
		if c.Type != kind || c.ObservedGeneration != 0 && c.ObservedGeneration < generation {
			continue
		}
		if c.Status == metav1.ConditionTrue {
			return v
		}
		text := fmt.Sprintf("%s is %s: %s", kind, c.Status, c.Reason)
		if c.Message != "" {
			text += ": " + strings.TrimSuffix(strings.Join(strings.Fields(c.Message), " "), ".")
		}
		unsure := kind == programmed && c.Reason == addressNotAssigned
		return Verdict{
			Refused: c.Status == metav1.ConditionFalse && !unsure, Unsure: unsure,
			Detail: text, Hint: hint(kind, c.Reason, spec), reason: c.Reason,
		}
	}
	return Verdict{
		Detail: "its controller has not set the condition " + kind + " yet",
		Hint:   "see the log of the Gateway's controller",
	}
}

// judgeGateway returns the verdict on the Gateway and its listeners. A listener that does not work is a warning while
// the route may use others.
func judgeGateway(gateway *unstructured.Unstructured, spec *infraspec.Spec) Verdict {
	var status gatewayStatus
	_ = decode(gateway.Object["status"], &status)
	named := func(v Verdict, what string) Verdict {
		if !v.Ready {
			v.Detail = what + ": " + v.Detail
		}
		return v
	}
	ready := Verdict{Ready: true}
	v := judgeCondition(status.Conditions, programmed, gateway.GetGeneration(), ready, spec)
	if v = named(v, "Gateway "+spec.Route.Gateway); !v.Ready && v.Refused {
		return worstListener(status, gateway.GetGeneration(), v, spec)
	}
	if !v.Ready {
		return v
	}
	broken := 0
	for _, l := range status.Listeners {
		for _, kind := range []string{resolvedRefs, programmed} {
			one := judgeCondition(l.Conditions, kind, gateway.GetGeneration(), ready, spec)
			if !one.Refused || spec.Route.Section != "" && spec.Route.Section != l.Name {
				continue
			}
			one = named(one, fmt.Sprintf("listener %s of Gateway %s", l.Name, spec.Route.Gateway))
			if broken++; spec.Route.Section != "" || broken == len(status.Listeners) {
				return one
			}
			v.Warning = one.Detail + "; " + one.Hint
			break
		}
	}
	return v
}

// worstListener returns the verdict on the first listener that the route may use and whose references do not resolve.
// It says more than the verdict on the whole, because controllers ignore such a listener. If there is none,
// worstListener returns whole.
func worstListener(status gatewayStatus, generation int64, whole Verdict, spec *infraspec.Spec) Verdict {
	for _, l := range status.Listeners {
		v := judgeCondition(l.Conditions, resolvedRefs, generation, Verdict{Ready: true}, spec)
		if v.Refused && (spec.Route.Section == "" || spec.Route.Section == l.Name) {
			v.Detail = fmt.Sprintf("%s; listener %s: %s", whole.Detail, l.Name, v.Detail)
			return v
		}
	}
	return whole
}

// hint returns what to do about a condition that is not true, by its reason (gateway-api.sigs.k8s.io: API
// specification, RouteConditionReason, ListenerConditionReason and GatewayConditionReason).
func hint(kind, reason string, spec *infraspec.Spec) string {
	gateway := "Gateway " + spec.Route.Gateway
	switch reason {
	case "NoMatchingListenerHostname":
		return fmt.Sprintf("add a listener for %s to %s, or choose another host",
			strings.Join(spec.Hosts.External, ", "), gateway)
	case "NotAllowedByListeners":
		return fmt.Sprintf("allow routes of this namespace in allowedRoutes.namespaces of a listener of %s, "+
			"or deploy to a namespace that it allows", gateway)
	case noMatchingParent:
		return fmt.Sprintf("set route.section to one of the listeners of %s", gateway)
	case "RefNotPermitted":
		return "create a ReferenceGrant in the namespace of the object that is referred to, " +
			"which allows references from the namespace of the object that refers to it"
	case "BackendNotFound":
		return "check that Service " + spec.Hosts.Internal + " exists; norn forge makes it"
	case "InvalidCertificateRef":
		return fmt.Sprintf("create the Secret with the certificate that the listener of %s names", gateway)
	case addressNotAssigned, "AddressNotUsable", "NoResources":
		return fmt.Sprintf("see kubectl describe gateway of %s: it has no usable address", gateway)
	case "NoMatchingGatewayClass", "InvalidParameters":
		return fmt.Sprintf("check the GatewayClass of %s", gateway)
	}
	if kind == programmed {
		return fmt.Sprintf("see the status of %s and the log of its controller", gateway)
	}
	return "see the log of the Gateway's controller"
}
