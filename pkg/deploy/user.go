package deploy

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
)

// checkUser returns an error if the Pods must not run as root, and the image would. The kubelet would refuse to start
// it. checkUser runs before the build, so it reads the Dockerfile, and the base image's configuration if that decides.
// A user that is not known yet is checked after the build.
func (r *run) checkUser(ctx context.Context, live liveApp, tree source.Tree) error {
	needs, err := r.needsUser()
	if err != nil || !needs || setsUser(live.pod, r.spec.App) {
		return err
	}
	if name := r.options.Image; name != "" {
		return r.refuseUser(r.remoteUser(ctx, name), "image "+name)
	}
	user := image.DockerfileUser(filepath.Join(tree.Dir, r.spec.Build.Dockerfile), r.spec.Build.Target)
	if user.Base != "" && !user.Known {
		base := r.remoteUser(ctx, user.Base)
		user.Name, user.Known = base.Name, base.Known
	}
	place := r.spec.Build.Dockerfile
	switch {
	case user.Line > 0:
		place = fmt.Sprintf("%s, line %d", place, user.Line)
	case user.Base != "":
		place = fmt.Sprintf("%s sets no USER, and the base image is %s", place, user.Base)
	}
	return r.refuseUser(user, place)
}

// setsUser reports whether somebody has set the user in the running Pods' template. norn keeps it.
func setsUser(pod corev1.PodSpec, app string) bool {
	if pod.SecurityContext != nil && pod.SecurityContext.RunAsUser != nil {
		return true
	}
	return slices.ContainsFunc(pod.Containers, func(c corev1.Container) bool {
		return c.Name == app && c.SecurityContext != nil && c.SecurityContext.RunAsUser != nil
	})
}

// checkBuilt is checkUser for the image that the builder has just built.
func (r *run) checkBuilt(ctx context.Context, live liveApp, made built) error {
	needs, err := r.needsUser()
	if err != nil || !needs || setsUser(live.pod, r.spec.App) {
		return err
	}
	user := image.BuiltUser(ctx, made.builder, made.request)
	if !user.Known && len(made.request.Platforms) > 1 { // docker pushes an index while it builds
		user = r.remoteUser(ctx, made.name)
	}
	return r.refuseUser(user, "image "+made.name)
}

func (r *run) needsUser() (bool, error) {
	if r.options.VersionOnly { // leaves the Pod template as it is
		return false, nil
	}
	return objects.NeedsUser(r.spec, r.options.Settings)
}

func (r *run) remoteUser(ctx context.Context, name string) image.User {
	return remoteUser(ctx, name, r.options.Builder, r.options.HideFunc())
}

// remoteUser returns the user of an image in a registry. That of an image which is loaded into the nodes is not known:
// it is in no registry, and one may have another image of this name.
func remoteUser(ctx context.Context, name, builder string, hide func(name, value string)) image.User {
	if policy, err := objects.PullPolicy(name); err != nil || policy == corev1.PullNever {
		return image.User{}
	}
	return image.RemoteUser(ctx, name, builder, hide)
}

func (r *run) refuseUser(user image.User, place string) error {
	return refuseUser(user, r.spec, r.options.Namespace, place)
}

// refuseUser returns an error if Kubernetes would refuse an image with the user. place says where the user is set.
func refuseUser(user image.User, spec *infraspec.Spec, ns, place string) error {
	why := user.Refused()
	if why == "" {
		return nil
	}
	who := "namespace " + ns + " enforces it"
	if spec.Pod.Security != "" {
		who = "pod.security"
	}
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("Pod Security Standard restricted (%s) does not allow root: %s (%s)", who, why, place),
		Advice: cmp.Or(user.Fix(spec.Build.Dockerfile),
			fmt.Sprintf("deploy an image that has USER 65532 in %s", spec.Build.Dockerfile)),
	}
}
