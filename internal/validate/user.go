package validate

import (
	"path/filepath"

	"norn/pkg/deploy/image"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
)

// user reports a Dockerfile whose image Kubernetes refuses to run, because pod.security does not allow root. Without
// pod.security, the namespace decides, and norn deploy checks the image.
func user(spec *infraspec.Spec) []infraspec.Finding {
	if !spec.Deploy || spec.Repo.URL != "" {
		return nil
	}
	needs, err := objects.NeedsUser(spec, objects.Settings{})
	if err != nil || !needs { // an overlay with mistakes is reported already
		return nil
	}
	found := image.DockerfileUser(filepath.Join(filepath.Dir(spec.Path()), spec.Build.Dockerfile), spec.Build.Target)
	if why := found.Refused(); why != "" {
		return []infraspec.Finding{spec.Finding("pod.security", infraspec.Error, infraspec.RuleSecurity,
			"restricted does not allow root: "+why+"; "+found.Fix(spec.Build.Dockerfile))}
	}
	return nil
}
