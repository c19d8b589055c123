package objects

import (
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applybatch "k8s.io/client-go/applyconfigurations/batch/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// overlay holds the documents of an overlay file by kind, as JSON. norn merges them into what it makes before it
// applies it, so norn's field manager owns the fields, and server-side apply removes what the overlay drops.
//
// A Pod is laid over every Pod that norn makes: those of the workload, and those of the Jobs of migrations, verify,
// calls of functions and runs. A Deployment, a CronJob and a Service are laid over the object of that kind, and then
// reach norn run too, which copies the Pod of the workload. A Job is laid over the Jobs of migrations, verify and
// calls. Processes other than the main one get the Pod alone.
type overlay struct {
	docs    map[string][]byte
	podMeta metav1.ObjectMeta // of the document of kind Pod
	job     *jobPart          // the document of kind Job, or nil
}

// jobPart is the part of a Job that an overlay may set.
type jobPart struct {
	Spec struct {
		Template struct {
			metav1.ObjectMeta `json:"metadata"`
			Spec              json.RawMessage `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

// readOverlay returns the overlay of an infraspec. If the file has errors, the error is an infraspec.Errors.
func readOverlay(spec *infraspec.Spec) (overlay, error) {
	docs, found := parseOverlay(spec, nil)
	if infraspec.HasErrors(found) {
		return overlay{}, infraspec.Errors(found)
	}
	if spec.Process != "" { // the documents of other kinds are for the main process
		docs = map[string][]byte{kindPod: docs[kindPod]}
	}
	out := overlay{docs: docs}
	if pod := docs[kindPod]; pod != nil {
		var part struct {
			metav1.ObjectMeta `json:"metadata"`
		}
		if err := json.Unmarshal(pod, &part); err != nil {
			return overlay{}, overlayError(spec, err)
		}
		out.podMeta = part.ObjectMeta
	}
	if job := docs[kindJob]; job != nil {
		out.job = &jobPart{}
		if err := json.Unmarshal(job, out.job); err != nil {
			return overlay{}, overlayError(spec, err)
		}
	}
	return out, nil
}

func overlayError(spec *infraspec.Spec, err error) error {
	return fmt.Errorf("merge %s into the objects of %s: %w", spec.Overlay, spec.App, err)
}

// merge merges the document part into conf, an apply configuration of an object of type kind. It uses the merge keys of
// Kubernetes: containers by name, ports by number.
func merge[C any](spec *infraspec.Spec, conf *C, part []byte, kind any) (*C, error) {
	if len(part) == 0 {
		return conf, nil
	}
	original, err := json.Marshal(conf)
	if err != nil {
		return nil, overlayError(spec, err)
	}
	both, err := strategicpatch.StrategicMergePatch(original, part, kind)
	if err != nil {
		return nil, overlayError(spec, err)
	}
	out := new(C)
	if err := json.Unmarshal(both, out); err != nil {
		return nil, overlayError(spec, err)
	}
	return out, nil
}

// mergePod is merge for a Pod.
func mergePod(
	spec *infraspec.Spec, pod *applycore.PodSpecApplyConfiguration, part []byte,
) (*applycore.PodSpecApplyConfiguration, error) {
	merged, err := merge(spec, pod, part, corev1.PodSpec{})
	if err != nil {
		return nil, err
	}
	finish(merged, pod)
	return merged, nil
}

// finish corrects what the merge with an overlay has done to the parts of made, a Pod.
func finish(merged, made *applycore.PodSpecApplyConfiguration) {
	inOrder(merged, made)
	replaceHandlers(merged, made)
}

// inOrder moves the containers and variables of made to the beginning of a merged Pod, in their order. The merge puts
// those of the overlay first, but the first container is the one that kubectl logs shows, and a variable can refer only
// to variables before it.
func inOrder(merged, made *applycore.PodSpecApplyConfiguration) {
	byName := func(c applycore.ContainerApplyConfiguration) string { return *c.Name }
	sortLike(merged.Containers, made.Containers, byName)
	for i := range made.Containers { // now at the same indices
		sortLike(merged.Containers[i].Env, made.Containers[i].Env,
			func(v applycore.EnvVarApplyConfiguration) string { return *v.Name })
	}
}

// sortLike sorts items as their names are in like. The others follow.
func sortLike[T any](items, like []T, name func(T) string) {
	at := func(item T) int {
		i := slices.IndexFunc(like, func(l T) bool { return name(l) == name(item) })
		if i < 0 {
			return len(like)
		}
		return i
	}
	slices.SortStableFunc(items, func(a, b T) int { return at(a) - at(b) })
}

// overlaidPod lays the document of kind Pod over a Pod.
func overlaidPod(
	pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec,
) (*applycore.PodSpecApplyConfiguration, error) {
	over, err := readOverlay(spec)
	if err != nil {
		return nil, err
	}
	if doc := over.docs[kindPod]; doc != nil {
		var part struct {
			Spec json.RawMessage `json:"spec"`
		}
		if err := json.Unmarshal(doc, &part); err != nil {
			return nil, overlayError(spec, err)
		}
		if pod, err = mergePod(spec, pod, part.Spec); err != nil {
			return nil, err
		}
	}
	withOldAccountName(pod)
	return pod, nil
}

// overlayJob lays the document of kind Job over the Pod of a Job.
func overlayJob(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec) error {
	over, err := readOverlay(spec)
	if err != nil || over.job == nil {
		return err
	}
	changed, err := mergePod(spec, pod, over.job.Spec.Template.Spec)
	if err == nil {
		*pod = *changed
		withOldAccountName(pod)
	}
	return err
}

// overlaidDeployment lays the document of kind Deployment over the Deployment, and the metadata of the document of kind
// Pod over its Pods.
func overlaidDeployment(
	d *applyapps.DeploymentApplyConfiguration, spec *infraspec.Spec,
) (*applyapps.DeploymentApplyConfiguration, error) {
	over, err := readOverlay(spec)
	if err != nil {
		return nil, err
	}
	over.addPodMeta(d.Spec.Template)
	made := d.Spec.Template.Spec
	d, err = merge(spec, d, over.docs[KindDeployment], appsv1.Deployment{})
	if err != nil {
		return nil, err
	}
	if s := d.Spec.Strategy; s.Type != nil && *s.Type == appsv1.RecreateDeploymentStrategyType {
		s.RollingUpdate = nil
	}
	finish(d.Spec.Template.Spec, made)
	withOldAccountName(d.Spec.Template.Spec)
	return d, nil
}

// overlaidCronJob lays the document of kind CronJob over the CronJob, and the metadata of the document of kind Pod over
// its Pods.
func overlaidCronJob(
	c *applybatch.CronJobApplyConfiguration, spec *infraspec.Spec,
) (*applybatch.CronJobApplyConfiguration, error) {
	over, err := readOverlay(spec)
	if err != nil {
		return nil, err
	}
	over.addPodMeta(c.Spec.JobTemplate.Spec.Template)
	made := c.Spec.JobTemplate.Spec.Template.Spec
	c, err = merge(spec, c, over.docs[KindCronJob], batchv1.CronJob{})
	if err != nil {
		return nil, err
	}
	finish(c.Spec.JobTemplate.Spec.Template.Spec, made)
	withOldAccountName(c.Spec.JobTemplate.Spec.Template.Spec)
	return c, nil
}

func (o overlay) addPodMeta(t *applycore.PodTemplateSpecApplyConfiguration) {
	if len(o.podMeta.Labels) > 0 {
		t.WithLabels(o.podMeta.Labels)
	}
	if len(o.podMeta.Annotations) > 0 {
		t.WithAnnotations(o.podMeta.Annotations)
	}
}

// overlaidService lays the document of kind Service over the Service. An overlay with errors changes nothing here: the
// Deployment reports them.
func overlaidService(
	s *applycore.ServiceApplyConfiguration, spec *infraspec.Spec,
) *applycore.ServiceApplyConfiguration {
	over, err := readOverlay(spec)
	if err != nil {
		return s
	}
	changed, err := merge(spec, s, over.docs[KindService], corev1.Service{})
	if err != nil {
		return s
	}
	for i := range changed.Spec.Ports {
		if changed.Spec.Ports[i].Protocol == nil {
			changed.Spec.Ports[i].WithProtocol(corev1.ProtocolTCP)
		}
	}
	return changed
}
