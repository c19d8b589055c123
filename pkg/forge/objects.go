// Package forge brings a cluster to what an infraspec says, and takes it away again. The pure
// half (objects.go, manifests.go and what they use) turns a spec into the desired objects; the other half (forge.go, teardown.go) applies and deletes them.
package forge

import (
	"fmt"

	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"

	appsv1 "k8s.io/api/apps/v1"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"

	"norn/pkg/k8s/metadata"
)

// Settings are what the objects need besides the infraspec.
type Settings struct {
	Namespace    string
	PostgresHost string // host of generated DATABASE_URLs
	PostgresUser string // user of generated DATABASE_URLs, or ""
	Image        string // what a new app starts with at once, or ""
}

// RoleLabel says of an object what role its app has.
const RoleLabel = "app.kubernetes.io/component"

// Labels are on everything norn makes. The first two are norn's own contract; the others are
// Kubernetes' recommended labels (kubernetes.io: Recommended Labels).
func Labels(spec *infraspec.Spec) map[string]string {
	return map[string]string{
		metadata.ManagedByLabel:        metadata.ManagedBy,
		metadata.AppLabel:              spec.App,
		"app.kubernetes.io/name":       spec.App,
		"app.kubernetes.io/instance":   spec.App,
		RoleLabel:                      string(spec.Role),
		"app.kubernetes.io/managed-by": metadata.ManagedBy,
	}
}

// Start says with which image the Deployment's container is sent, if with any.
type Start struct {
	Image  string
	Paused bool
}

// BeforeFirstDeploy is the start of an app that has never been deployed: its image does
// not exist yet, so the Deployment is paused and makes no pod that would crash.
func BeforeFirstDeploy(app string) *Start { return &Start{Image: app + ":latest", Paused: true} }

// Deployment is the app's Deployment. A nil start leaves image, pull policy and paused
// to their owner, the deploy.
func Deployment(spec *infraspec.Spec, s Settings, start *Start) (*applyapps.DeploymentApplyConfiguration, error) {
	pod, err := podFor(spec, s, start)
	if err != nil {
		return nil, err
	}
	d := applyapps.DeploymentSpec().
		WithReplicas(int32(spec.Replicas)).                     //nolint:gosec // infraspec has checked the range
		WithRevisionHistoryLimit(int32(spec.Artifacts.Retain)). //nolint:gosec // likewise
		WithSelector(applymeta.LabelSelector().WithMatchLabels(map[string]string{metadata.AppLabel: spec.App})).
		WithTemplate(applycore.PodTemplateSpec().WithLabels(Labels(spec)).WithSpec(pod))
	d.WithStrategy(applyapps.DeploymentStrategy().WithType(strategy(spec)))
	if start != nil {
		d.WithPaused(start.Paused)
	}
	return applyapps.Deployment(spec.App, s.Namespace).WithLabels(Labels(spec)).WithSpec(d), nil
}

// strategy is Recreate for an app with a ReadWriteOnce claim, which old and new pods on different nodes cannot both mount.
func strategy(spec *infraspec.Spec) appsv1.DeploymentStrategyType {
	if len(claimed(spec)) > 0 {
		return appsv1.RecreateDeploymentStrategyType
	}
	return appsv1.RollingUpdateDeploymentStrategyType
}

// podFor is what the pods of all roles have in common: one container, named like the app, and its volumes.
func podFor(spec *infraspec.Spec, s Settings, start *Start) (*applycore.PodSpecApplyConfiguration, error) {
	container, err := containerFor(spec, s, start)
	if err != nil {
		return nil, err
	}
	return applycore.PodSpec().WithContainers(container).WithVolumes(volumes(spec)...), nil
}

func containerFor(spec *infraspec.Spec, s Settings, start *Start) (*applycore.ContainerApplyConfiguration, error) {
	c := applycore.Container().
		WithName(spec.App).
		WithEnv(environment(spec, s)...).
		WithVolumeMounts(mounts(spec)...)
	if len(spec.Command) > 0 {
		c.WithCommand(Literal(spec.Command)...)
	}
	if spec.Role == infraspec.Webserver {
		c.WithPorts(applycore.ContainerPort().WithContainerPort(int32(spec.Port)).WithProtocol(corev1.ProtocolTCP)) //nolint:gosec // infraspec has checked the range
		withProbes(c, spec)
	}
	if r := resources(spec.Resources); r != nil {
		c.WithResources(r)
	}
	if start != nil {
		policy, err := k8s.PullPolicy(start.Image)
		if err != nil {
			return nil, err
		}
		c.WithImage(start.Image).WithImagePullPolicy(policy)
	}
	return c, nil
}

// Literal makes texts mean themselves to Kubernetes, which otherwise takes $(NAME) for a variable and $$ for $ in a container's
// command and environment (kubernetes.io: Define a Command and Arguments for a Container).
func Literal(texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = strings.ReplaceAll(text, "$", "$$")
	}
	return out
}

// withProbes sets the three probes on the healthcheck path. The startup probe gives a slow app
// two and a half minutes before the liveness probe may kill it.
func withProbes(c *applycore.ContainerApplyConfiguration, spec *infraspec.Spec) {
	if spec.Healthcheck == "" {
		return
	}
	probe := func(period, failures int32) *applycore.ProbeApplyConfiguration {
		return applycore.Probe().
			WithHTTPGet(applycore.HTTPGetAction().WithPath(spec.Healthcheck).WithPort(intstr.FromInt(spec.Port))).
			WithPeriodSeconds(period).
			WithFailureThreshold(failures)
	}
	c.WithLivenessProbe(probe(30, 3)).WithReadinessProbe(probe(10, 3)).WithStartupProbe(probe(5, 30))
}

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

// resources translates requests and limits, which infraspec has checked to be quantities.
func resources(r infraspec.Resources) *applycore.ResourceRequirementsApplyConfiguration {
	if len(r.Requests) == 0 && len(r.Limits) == 0 {
		return nil
	}
	list := func(m map[string]infraspec.Quantity) corev1.ResourceList {
		out := corev1.ResourceList{}
		for name, q := range m {
			out[corev1.ResourceName(name)] = q.Value()
		}
		return out
	}
	conf := applycore.ResourceRequirements()
	if len(r.Requests) > 0 {
		conf.WithRequests(list(r.Requests))
	}
	if len(r.Limits) > 0 {
		conf.WithLimits(list(r.Limits))
	}
	return conf
}

// SecretName is the name of the app's Secret.
func SecretName(app string) string { return app + "-secrets" }

// ClaimName is the name of the claim behind an app's volume.
func ClaimName(app, volume string) string { return fmt.Sprintf("%s-%s", app, volume) }
