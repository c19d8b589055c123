package objects

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// Service is the app's Service, or nil where the infraspec names no internal host.
func Service(spec *infraspec.Spec, s Settings) *applycore.ServiceApplyConfiguration {
	if spec.Hosts.Internal == "" || spec.Role != infraspec.Webserver {
		return nil
	}
	return applycore.Service(spec.Hosts.Internal, s.Namespace).
		WithLabels(Labels(spec)).
		WithSpec(applycore.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithSelector(map[string]string{metadata.AppLabel: spec.App}).
			WithPorts(applycore.ServicePort().
				WithName("http").
				WithProtocol(corev1.ProtocolTCP).
				WithPort(80).
				WithTargetPort(intstr.FromInt(spec.Port))))
}
