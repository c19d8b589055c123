package reach

import (
	"errors"

	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// unless returns a hop that is not checked if the user is not allowed to do what it needs, or else one that fails.
func unless(err error, doing string) Hop {
	if denied, ok := errors.AsType[*k8s.DeniedError](err); ok {
		return Hop{State: Unchecked, Detail: "not checked: " + denied.Error()}
	}
	return Hop{State: Failed, Detail: "cannot " + doing + ": " + err.Error(), Hint: pipeline.HintOf(err)}
}
