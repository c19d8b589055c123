package image

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/distribution/reference"

	"norn/internal/registry"
	"norn/pkg/pipeline"
)

// pinTimeout is how long Pin waits for a registry.
const pinTimeout = 10 * time.Second

// Pin adds to an image's name the digest that its tag names now. A new image under the same tag is therefore a new
// version. Pin does not change a name with a digest, or one without a registry, which is never pulled. If the registry
// does not return the image, Pin writes a warning and does not change the name either. builder is the builder whose
// login Pin uses, or "". Pin passes the login to hide, unless that is nil.
func Pin(ctx context.Context, out io.Writer, image, builder string, hide func(name, value string)) (string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image, nil //nolint:nilerr // the cluster reports it
	}
	if _, pinned := named.(reference.Digested); pinned || !strings.HasPrefix(image, reference.Domain(named)+"/") {
		return image, nil
	}
	latest := reference.IsNameOnly(named)
	tagged, _ := reference.TagNameOnly(named).(reference.NamedTagged)
	asked, cancel := context.WithTimeout(ctx, pinTimeout)
	defer cancel()
	login, loginErr := findLogin(asked, builder, named)
	if login != nil && hide != nil {
		hide("registry-password", login.Secret())
	}
	digest, err := registry.Digest(asked, tagged, login)
	if err == nil {
		if latest {
			image += ":" + tagged.Tag()
		}
		return image + "@" + digest, nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	warnUnpinned(out, image, tagged.Tag(), cmp.Or(loginErr, err), err)
	return image, nil
}

// warnUnpinned warns about the consequences of an unknown digest. The kubelet pulls the tag latest for each Pod
// (kubernetes.io: Images, Default image pull policy); objects.PullPolicy does the same.
func warnUnpinned(out io.Writer, image, tag string, reason, err error) {
	refused, _ := errors.AsType[*registry.Error](err)
	switch {
	case refused != nil && refused.Missing:
		pipeline.Warn(out, "%s; only nodes that already have it can run it", refused)
	case tag == "latest":
		pipeline.Warn(out, "the digest of %s is unknown: %s; each new Pod pulls the image that the tag names then, "+
			"and a rollback cannot return to this image; log in with docker login, or pass a digest", image, reason)
	default:
		pipeline.Warn(out, "the digest of %s is unknown: %s; a node that already has this tag runs its own copy, "+
			"even if the tag now names another image; log in with docker login, or pass a digest", image, reason)
	}
}

// findLogin returns the login for an image's registry, or nil. Without a chosen builder it returns the first login of
// any builder.
func findLogin(ctx context.Context, builder string, image reference.Named) (*registry.Login, error) {
	builders := []string{"docker", "podman"} // the other two share their files
	if builder != "" {
		builders = []string{builder}
	}
	var failed error
	for _, name := range builders {
		login, err := registry.FindLogin(ctx, name, image.Name())
		if login != nil {
			return login, nil
		}
		failed = cmp.Or(failed, err)
	}
	return nil, failed
}

// Platforms returns the platforms of an image in a registry, such as linux/amd64. builder and hide are as for Pin.
func Platforms(ctx context.Context, image, builder string, hide func(name, value string)) ([]string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(image, reference.Domain(named)+"/") {
		return nil, errors.New("its name has no registry")
	}
	ctx, cancel := context.WithTimeout(ctx, pinTimeout)
	defer cancel()
	login, loginErr := findLogin(ctx, builder, named)
	if login != nil && hide != nil {
		hide("registry-password", login.Secret())
	}
	platforms, err := registry.Platforms(ctx, named, login)
	if err != nil {
		err = cmp.Or(loginErr, err)
	}
	return platforms, err
}
