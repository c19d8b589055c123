package objects

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// ServiceURL returns the URL of the app's Service within the cluster. The infraspec must set hosts.internal.
func ServiceURL(spec *infraspec.Spec, ns string) string {
	return fmt.Sprintf("http://%s.%s.svc.cluster.local:%d", spec.Hosts.Internal, ns, servicePort)
}

// servicePort is the port of each app's Service.
const servicePort = 80

// Service returns the app's Service, or nil if the infraspec sets no hosts.internal.
func Service(spec *infraspec.Spec, s Settings) *applycore.ServiceApplyConfiguration {
	if spec.Hosts.Internal == "" || spec.Role != infraspec.Webserver {
		return nil
	}
	return overlaidService(applycore.Service(spec.Hosts.Internal, s.Namespace).
		WithLabels(Labels(spec)).
		WithSpec(applycore.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(selector(spec)).
			WithPorts(applycore.ServicePort().
				WithName("http").
				WithProtocol(corev1.ProtocolTCP).
				WithPort(servicePort).
				WithTargetPort(intstr.FromInt(spec.Port)))), spec)
}
