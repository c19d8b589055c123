package metadata

import (
	"encoding/json"
	"math"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// CanaryAnnotation is the annotation of a Deployment that is held after the first Pods of a new version. It describes
// the Canary. The fields of Canary.Hold alone hold the Deployment: kubectl rollout undo removes the annotation, or
// brings back that of an earlier canary.
const CanaryAnnotation = "norn/canary"

// The fields that hold a Deployment. Its controller ends no old Pod before as many new ones are available, which takes
// a year (kubernetes.io: Deployment, minReadySeconds). The deadline must be later. The latest one means that there is
// no deadline.
const (
	holdReadySeconds    = 365 * 24 * 60 * 60
	holdDeadlineSeconds = math.MaxInt32
)

// Canary describes the first Pods of a new version, which get requests beside those of the old one.
type Canary struct {
	Pods      int32     `json:"pods"`                // how many are new
	Since     time.Time `json:"since"`               // zero if it is unknown
	Image     string    `json:"image"`               // of the new Pods
	RanBefore types.UID `json:"ranBefore,omitempty"` // the ReplicaSet that a failure restores, or "" if it is unknown
	// The fields that Hold changes, as they were before.
	Strategy                appsv1.DeploymentStrategy `json:"strategy"`
	MinReadySeconds         int32                     `json:"minReadySeconds,omitempty"`
	ProgressDeadlineSeconds *int32                    `json:"progressDeadlineSeconds,omitempty"`
}

// NewCanary returns the description of a canary with an image in a Deployment that is not held yet.
func NewCanary(d *appsv1.Deployment, pods int32, image string, ranBefore types.UID, now time.Time) Canary {
	return Canary{
		Pods: pods, Since: now.UTC().Truncate(time.Second), Image: image, RanBefore: ranBefore, Strategy: d.Spec.Strategy,
		MinReadySeconds: d.Spec.MinReadySeconds, ProgressDeadlineSeconds: d.Spec.ProgressDeadlineSeconds,
	}
}

// CanaryOf returns the canary of a Deployment that is held, or nil.
func CanaryOf(d *appsv1.Deployment) *Canary {
	if d == nil || d.Spec.MinReadySeconds != holdReadySeconds {
		return nil
	}
	c := &Canary{}
	image := ImageOf(d.Spec.Template.Spec, AppOf(d))
	if json.Unmarshal([]byte(d.Annotations[CanaryAnnotation]), c) != nil || c.Pods < 1 {
		return lostCanary(image)
	}
	if c.Image != image { // somebody has changed the image, or brought back the annotation of an earlier canary
		c.Image, c.RanBefore, c.Since = image, "", time.Time{}
	}
	return c
}

// lostCanary describes a canary of which only the hold is left. The fields had the API server's defaults, as far as
// anybody knows (k8s.io/kubernetes/pkg/apis/apps/v1/defaults.go).
func lostCanary(image string) *Canary {
	quarter, deadline := intstr.FromString("25%"), int32(600)
	return &Canary{
		Pods: 1, Image: image, ProgressDeadlineSeconds: &deadline,
		Strategy: appsv1.DeploymentStrategy{
			Type:          appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &quarter, MaxSurge: &quarter},
		},
	}
}

// Annotation returns the value of CanaryAnnotation.
func (c Canary) Annotation() (string, error) {
	text, err := json.Marshal(c)
	return string(text), err
}

// Hold sets the fields of a Deployment's spec that hold it after c.Pods new Pods.
func (c Canary) Hold(d *appsv1.DeploymentSpec) {
	none, surge, deadline := intstr.FromInt32(0), intstr.FromInt32(c.Pods), int32(holdDeadlineSeconds)
	d.MinReadySeconds, d.ProgressDeadlineSeconds = holdReadySeconds, &deadline
	d.Strategy = appsv1.DeploymentStrategy{
		Type:          appsv1.RollingUpdateDeploymentStrategyType,
		RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &none, MaxSurge: &surge},
	}
}

// Unheld returns a Deployment as it would be without the hold of its canary, or d if it is not held.
func Unheld(d appsv1.Deployment) appsv1.Deployment {
	if c := CanaryOf(&d); c != nil {
		d.Spec.Strategy, d.Spec.MinReadySeconds = c.Strategy, c.MinReadySeconds
		d.Spec.ProgressDeadlineSeconds, d.Spec.Paused = c.ProgressDeadlineSeconds, false
	}
	return d
}
