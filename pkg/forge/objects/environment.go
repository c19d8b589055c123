package objects

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// OtherEnvironmentError reports an object of the app that belongs to another environment. norn never changes such an
// object.
type OtherEnvironmentError struct {
	Kind, Namespace, Name string
	Theirs, Ours          string // the environments, or "" for none
}

// Error names the object and both environments.
func (e *OtherEnvironmentError) Error() string {
	if e.Theirs == "" {
		return fmt.Sprintf("%s %s in namespace %s belongs to no environment, so it is not part of %s",
			e.Kind, e.Name, e.Namespace, e.Ours)
	}
	what := fmt.Sprintf("%s %s in namespace %s belongs to environment %s", e.Kind, e.Name, e.Namespace, e.Theirs)
	if e.Ours == "" {
		return what + ", and no environment is chosen"
	}
	return what + ", not " + e.Ours
}

// Hint returns advice.
func (e *OtherEnvironmentError) Hint() string {
	if e.Theirs == "" {
		return "delete it, rename it, or run norn forge, which takes it over for the preview"
	}
	if e.Ours == "" {
		return fmt.Sprintf("if you mean this environment, pass --env %s; otherwise check the namespace and the context",
			e.Theirs)
	}
	return fmt.Sprintf("check the namespace of environment %s, and the kubeconfig's context", e.Ours)
}

// AnyEnvironment is the environment of a command that only reads.
const AnyEnvironment = "*"

// CheckEnvironment returns an *OtherEnvironmentError if live belongs to another environment than the chosen one, which
// is "" for none. An object without an environment belongs to any.
func CheckEnvironment(kind string, live metav1.Object, environment string) error {
	theirs := metadata.EnvironmentOf(live)
	if theirs == "" || theirs == environment || environment == AnyEnvironment {
		return nil
	}
	return &OtherEnvironmentError{
		Kind: kind, Namespace: live.GetNamespace(), Name: live.GetName(), Theirs: theirs, Ours: environment,
	}
}
