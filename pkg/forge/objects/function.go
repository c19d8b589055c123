package objects

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// The environment variables of a function call. Functions of the original norn read the NORN_REQUEST ones:
// there, each call was an HTTP request.
const (
	BodyVariable          = "NORN_BODY"
	requestBodyVariable   = "NORN_REQUEST_BODY"
	requestMethodVariable = "NORN_REQUEST_METHOD"
	requestPathVariable   = "NORN_REQUEST_PATH"
)

// maxBody is the maximum size of an environment variable in bytes (man 2 execve: MAX_ARG_STRLEN), less room for its
// name.
const maxBody = 128<<10 - 64

// Function returns the pod for one call of a function app, with body in its environment.
func Function(spec *infraspec.Spec, s Settings, body string) (*corev1.PodSpec, error) {
	if len(body) > maxBody {
		return nil, fmt.Errorf("body has %d bytes, more than the limit of %d for an environment variable", len(body), maxBody)
	}
	conf, err := podFor(spec, s, &Start{Image: s.Image})
	if err != nil {
		return nil, err
	}
	if err := overlayJob(conf, spec); err != nil {
		return nil, err
	}
	container := &conf.Containers[0]
	for _, v := range [][2]string{
		{BodyVariable, body}, {requestBodyVariable, body},
		{requestMethodVariable, "POST"}, {requestPathVariable, "/api/apps/" + spec.App + "/invoke"},
	} {
		container.WithEnv(applycore.EnvVar().WithName(v[0]).WithValue(literal(v[1])))
	}
	if container.Resources == nil {
		container.WithResources(applycore.ResourceRequirements())
	}
	if container.Resources.Limits == nil || container.Resources.Limits.Memory().IsZero() {
		limits := corev1.ResourceList{corev1.ResourceMemory: Memory(spec.Function.Memory)}
		if container.Resources.Limits != nil {
			for name, amount := range *container.Resources.Limits {
				limits[name] = amount
			}
		}
		container.Resources.WithLimits(limits)
	}
	return podSpec(spec, conf)
}

// Memory converts an amount in docker's notation, in which k, m and g are powers of 1024, like Ki, Mi and Gi in
// Kubernetes.
func Memory(m infraspec.Memory) resource.Quantity {
	text := string(m)
	lower := strings.ToLower(text)
	for suffix, unit := range map[string]string{"k": "Ki", "m": "Mi", "g": "Gi", "b": ""} {
		if digits, ok := strings.CutSuffix(lower, suffix); ok && strings.Trim(digits, "0123456789") == "" {
			return resource.MustParse(digits + unit)
		}
	}
	return resource.MustParse(text) // infraspec has checked it
}
