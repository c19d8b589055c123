package scaffold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// Running is a Deployment, and the objects of its namespace that say more about it. norn reads no Secret.
type Running struct {
	Deployment *appsv1.Deployment
	Services   []corev1.Service
	Ingresses  []networkingv1.Ingress
	Claims     []corev1.PersistentVolumeClaim
	ConfigMaps map[string]*corev1.ConfigMap // the ones that the container reads its variables from
	Unread     []string                     // the kinds that the user is not allowed to read
}

// DeploymentIn returns the name of the Deployment that an argument such as deployment/shop names. It returns "" for
// another argument, and for the path of a file.
func DeploymentIn(arg string) string {
	kind, name, _ := strings.Cut(arg, "/")
	if _, err := os.Stat(arg); err == nil || !slices.Contains([]string{"deployment", "deployments", "deploy"}, kind) {
		return ""
	}
	return name
}

// ReadDeployment reads a Deployment and what belongs to it. The user need not be allowed to read the latter.
func ReadDeployment(ctx context.Context, cluster *k8s.Client, ns, name string) (in Running, err error) {
	in.Deployment, err = cluster.GetDeployment(ctx, ns, name)
	if k8s.IsNotFound(err) {
		return in, &pipeline.UsageError{
			Problem: fmt.Sprintf("there is no Deployment %s in namespace %s", name, ns),
			Advice:  "check the name and the namespace with kubectl get deployments --namespace " + ns,
		}
	}
	if err != nil {
		return in, err
	}
	in.Services, err = readable(ctx, ns, &in, "Services", cluster.ListAllServices)
	if err == nil {
		in.Ingresses, err = readable(ctx, ns, &in, "Ingresses", cluster.ListIngresses)
	}
	if err == nil {
		in.Claims, err = readable(ctx, ns, &in, "PersistentVolumeClaims", cluster.ListAllPVCs)
	}
	in.ConfigMaps = map[string]*corev1.ConfigMap{}
	for _, source := range configMapsOf(in.container()) {
		if err != nil {
			break
		}
		var found *corev1.ConfigMap
		found, err = cluster.GetConfigMap(ctx, ns, source)
		switch _, denied := errors.AsType[*k8s.DeniedError](err); {
		case err == nil:
			in.ConfigMaps[source] = found
		case denied, k8s.IsNotFound(err):
			err = nil
		}
	}
	return in, err
}

// readable returns the objects of a kind, or none if the user is not allowed to list them.
func readable[T any](
	ctx context.Context, ns string, in *Running, kind string, list func(context.Context, string) ([]T, error),
) ([]T, error) {
	all, err := list(ctx, ns)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		in.Unread = append(in.Unread, kind)
		return nil, nil
	}
	return all, err
}

// container returns the container that becomes the app's: the one with the Deployment's name, else the first.
func (in Running) container() *corev1.Container {
	return metadata.AppContainer(&in.Deployment.Spec.Template.Spec, in.Deployment.Name)
}

// configMapsOf returns the names of the ConfigMaps that a container reads its variables from.
func configMapsOf(c *corev1.Container) []string {
	var names []string
	if c == nil {
		return nil
	}
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef != nil {
			names = append(names, from.ConfigMapRef.Name)
		}
	}
	for _, e := range c.Env {
		if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
			names = append(names, e.ValueFrom.ConfigMapKeyRef.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// deployed converts a Deployment.
type deployed struct {
	*draft
	Running
	pod corev1.PodSpec
	own *corev1.Container
}

// FromDeployment returns the infraspec that a Deployment becomes, and what could not be carried over. It contains no
// value that may be secret. Errors are *SourceError.
func FromDeployment(in Running) (text string, notes []string, err error) {
	name := in.Deployment.Name
	d := &deployed{
		&draft{sourceFile: &sourceFile{file: "deployment/" + name}, noService: true}, in,
		in.Deployment.Spec.Template.Spec, in.container(),
	}
	if d.own == nil {
		return "", nil, d.errorf(0, "its Pods have no container")
	}
	d.setName(nil, "metadata.name", name)
	d.identity()
	d.ports()
	d.ingresses()
	d.checks()
	d.commandLine()
	d.variables()
	d.scale()
	d.amounts()
	d.mounts()
	d.main.stop = d.gracePeriod()
	d.draft.pod = d.podSettings()
	d.rest()
	for _, kind := range in.Unread {
		d.note(nil, "", "norn is not allowed to read the %s of the namespace, so nothing is carried over from them", kind)
	}
	return d.finish()
}

// identity says what keeps norn from taking over the Deployment as it is.
func (d *deployed) identity() {
	d.note(nil, "image", "norn builds the image from a Dockerfile; to ship the one that runs, use norn deploy --image %s",
		d.own.Image)
	selector := d.Deployment.Spec.Selector
	own := selector != nil && len(selector.MatchExpressions) == 0 && len(selector.MatchLabels) == 1 &&
		selector.MatchLabels[metadata.AppLabel] == d.app
	if !own {
		d.note(nil, "selector", "norn's selector is app=%s, and that of a Deployment cannot change; delete this Deployment "+
			"before the first deploy, or set another name for app", d.app)
	}
	if d.own.Name != d.app {
		d.note(nil, "containers."+d.own.Name, "norn's container is named %s", d.app)
	}
	for _, c := range d.pod.Containers {
		if c.Name != d.own.Name {
			d.note(nil, "containers."+c.Name, "norn runs one container; add others in an overlay")
		}
	}
}

// ports finds the app's port and its Service.
func (d *deployed) ports() {
	d.main.role = infraspec.Worker
	service := d.service()
	port, name := 0, ""
	if service != nil {
		port, name = d.portOf(service.Spec.Ports[0].TargetPort.String(), int(service.Spec.Ports[0].Port)), service.Name
	}
	for _, p := range d.own.Ports {
		if port == 0 && (p.Protocol == "" || p.Protocol == corev1.ProtocolTCP) && p.Name != "metrics" {
			port = int(p.ContainerPort)
		}
	}
	for _, p := range d.own.Ports {
		if int(p.ContainerPort) != port {
			d.note(nil, fmt.Sprintf("ports.%d", p.ContainerPort), "an app has one port; add others in an overlay")
		}
	}
	if port == 0 {
		return
	}
	d.main.port, d.main.role = port, infraspec.Webserver
	if service != nil && infraspec.ValidName(name) {
		d.draft.service, d.noService = name, false
		d.serviceNotes(service)
	}
}

// service returns the Service that becomes hosts.internal: if possible one with an address, or nil.
func (d *deployed) service() *corev1.Service {
	var own []*corev1.Service
	pods := labels.Set(d.Deployment.Spec.Template.Labels)
	for i := range d.Services {
		s := &d.Services[i]
		if len(s.Spec.Selector) > 0 && labels.SelectorFromSet(s.Spec.Selector).Matches(pods) && len(s.Spec.Ports) > 0 {
			own = append(own, s)
		}
	}
	rank := func(s *corev1.Service) int {
		if s.Spec.ClusterIP == corev1.ClusterIPNone {
			return 1
		}
		return 0
	}
	slices.SortFunc(own, func(a, b *corev1.Service) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	})
	if len(own) == 0 {
		return nil
	}
	for _, other := range own[1:] {
		d.note(nil, "service/"+other.Name, "an app has one Service; norn leaves this one as it is")
	}
	return own[0]
}

// serviceNotes says how norn's Service differs.
func (d *deployed) serviceNotes(s *corev1.Service) {
	key := "service/" + s.Name
	if port := s.Spec.Ports[0].Port; port != 80 {
		d.note(nil, key, "norn's Service has port 80, not %d; change what calls it, or set the port in an overlay", port)
	}
	for _, p := range s.Spec.Ports[1:] {
		d.note(nil, key, "port %d is left out: norn's Service has one port; add others in an overlay", p.Port)
	}
	switch {
	case s.Spec.Type != "" && s.Spec.Type != corev1.ServiceTypeClusterIP:
		d.note(nil, key, "norn's Service is a ClusterIP, not a %s; set spec.type in an overlay", s.Spec.Type)
	case s.Spec.ClusterIP == corev1.ClusterIPNone:
		d.note(nil, key, "norn's Service has an address, and this one is headless")
	}
}

// portOf returns the number of a port of the container by its number or name, or fallback for a name that it does not
// have.
func (d *deployed) portOf(target string, fallback int) int {
	for _, p := range d.own.Ports {
		if p.Name == target && target != "" {
			return int(p.ContainerPort)
		}
	}
	if port := whole(textNode(target), 1, 65535); port > 0 {
		return port
	}
	return fallback
}

// commandLine takes the command. That of norn replaces the image's entrypoint.
func (d *deployed) commandLine() {
	switch {
	case len(d.own.Command) == 0 && len(d.own.Args) > 0:
		d.note(nil, "args", "norn's command replaces the image's ENTRYPOINT too; set command to the entrypoint and the "+
			"arguments")
		return
	case len(d.own.Command) == 0:
		return
	}
	words := slices.Concat(d.own.Command, d.own.Args)
	d.main.command = d.line(texts(words), "command")
	if strings.Contains(strings.Join(words, " "), "$(") {
		d.note(nil, "command", "Kubernetes replaces $(NAME) in it; norn does not, so use a shell and $NAME")
	}
}

// scale takes the number of Pods.
func (d *deployed) scale() {
	replicas := 1
	if d.Deployment.Spec.Replicas != nil {
		replicas = int(*d.Deployment.Spec.Replicas)
	}
	switch scaler := metadata.Scaler(d.Deployment); {
	case scaler != "":
		d.note(nil, "replicas", "%s sets them, and norn leaves them alone; see norn diff", scaler)
	case replicas == 0:
		d.note(nil, "replicas", "the Deployment is scaled to 0, and norn starts one Pod; set replicas: 0 to start none")
	default:
		d.main.replicas = replicas
	}
}
