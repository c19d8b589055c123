package objects

import (
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// HeldError reports that a Deployment is held after the first Pods of a new version.
type HeldError struct {
	App         string
	Environment string // of the app, or ""
	Deployment  string
	Version     string        // of the new Pods
	Age         time.Duration // of the hold, or 0 if it is unknown
}

// Error names the version and its age.
func (e *HeldError) Error() string {
	if e.Age == 0 { // somebody else has removed norn's annotation
		return fmt.Sprintf("Deployment %s is held after the first Pods of %s", e.Deployment, e.Version)
	}
	return fmt.Sprintf("Deployment %s has had a canary of %s for %s", e.Deployment, e.Version, e.Age)
}

// Hint returns both ways to end the canary.
func (e *HeldError) Hint() string {
	return fmt.Sprintf("ship the version to all Pods with norn deploy %s --continue%s, "+
		"or go back with norn rollback %[1]s%[2]s",
		infraspec.BaseOf(e.App, e.Environment), infraspec.EnvironmentFlag(e.Environment))
}

// CheckHeld returns a *HeldError if a Deployment is held.
func CheckHeld(d *appsv1.Deployment) error {
	c := metadata.CanaryOf(d)
	if c == nil {
		return nil
	}
	app := metadata.AppOf(d)
	image := metadata.ImageOf(d.Spec.Template.Spec, app)
	commit := metadata.Shipped(d.Annotations, image)[metadata.CommitAnnotation]
	e := &HeldError{
		App: app, Environment: metadata.EnvironmentOf(d), Deployment: d.Name, Version: metadata.VersionName(commit, image),
	}
	if !c.Since.IsZero() {
		e.Age = max(time.Second, time.Since(c.Since).Round(time.Second))
	}
	return e
}

// CheckHoldable returns an error if a canary would change fields of a Deployment that somebody else has set.
func CheckHoldable(d *appsv1.Deployment) error {
	fields := [][]string{{"f:strategy", "f:rollingUpdate"}, {"f:minReadySeconds"}, {"f:progressDeadlineSeconds"}}
	for _, path := range fields {
		if setByOthers(d, path...) {
			return &pipeline.UsageError{
				Problem: fmt.Sprintf("a canary changes spec.%s of Deployment %s for a while, and somebody else has set it",
					strings.TrimPrefix(path[0], "f:"), d.Name),
				Advice: "set it in the infraspec's overlay, run norn forge, and deploy again",
			}
		}
	}
	return nil
}
