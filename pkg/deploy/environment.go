package deploy

import (
	"errors"
	"fmt"
	"strings"

	"norn/pkg/deploy/source"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// inEnvironment returns the infraspec of the version in the chosen environment. norn is connected to the place that the
// infraspec on disk sets for the environment, so the version must not set another one.
func (r *run) inEnvironment(version *infraspec.Spec, tree source.Tree) (*infraspec.Spec, error) {
	chosen := r.spec.Environment
	if chosen == "" && len(version.Environments) > 0 {
		return nil, &pipeline.UsageError{
			Problem: fmt.Sprintf("the infraspec of %s has environments, and none is chosen", tree.Describe()),
			Advice: fmt.Sprintf("add them to %s too, then choose one with --env: %s", r.spec.Path(),
				strings.Join(version.EnvironmentNames(), ", ")),
		}
	}
	laid, err := version.In(chosen)
	if found, ok := errors.AsType[infraspec.Errors](err); ok {
		return nil, found
	}
	if err != nil {
		return nil, &pipeline.UsageError{
			Problem: fmt.Sprintf("the infraspec of %s has no environment %s", tree.Describe(), chosen),
			Advice:  "deploy a version that has it; or go back to an older one with norn rollback --env " + chosen,
		}
	}
	here, _ := r.spec.Chosen(chosen)
	there, _ := version.Chosen(chosen) // laid is in it
	for _, key := range []struct{ name, here, there string }{
		{"namespace", here.Namespace, there.Namespace}, {"cluster", here.Cluster, there.Cluster},
	} {
		if key.there != "" && key.there != key.here {
			return nil, &pipeline.UsageError{
				Problem: fmt.Sprintf("environment %s has %s %s in the infraspec of %s, and %q in %s",
					chosen, key.name, key.there, tree.Describe(), key.here, r.spec.Path()),
				Advice: "check out the version, then deploy it",
			}
		}
	}
	return laid, nil
}
