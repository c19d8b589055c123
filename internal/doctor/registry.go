package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"norn/internal/command"
	"norn/internal/registry"
	"norn/pkg/deploy/image"
	"norn/pkg/k8s/connect"
	"norn/pkg/pipeline"
)

// registry checks how images reach the cluster: through a registry, with a login, or by loading them.
func (e *examination) registry(ctx context.Context) Verdict {
	if e.Config.Registry == "" {
		return e.loads(ctx)
	}
	if err := image.CheckRegistry(e.Config.Registry); err != nil {
		return problem(pipeline.HintOf(err), "%s", err)
	}
	q := registry.Question{Registry: strings.TrimSuffix(e.Config.Registry, "/"), Plain: image.PlainHTTP(e.Config.Registry)}
	if e.spec != nil {
		q.Repository = e.spec.App
	}
	builder := e.findBuilder(ctx).working()
	login, err := registry.FindLogin(ctx, builder, q.Registry)
	if err != nil {
		return problem("fix that file, or log in again: "+logIn(builder, q.Registry), "%s", err)
	}
	if q.Login = login; login != nil {
		e.Hide("registry-password", login.Secret())
	}
	answer, err := registry.Ask(ctx, q)
	return judgeRegistry(q, builder, answer, err)
}

func judgeRegistry(q registry.Question, builder string, answer registry.Answer, err error) Verdict {
	var refused *registry.Error
	switch {
	case errors.As(err, &refused) && refused.Untrusted:
		return warning("configure the builder to trust it (docker: /etc/docker/certs.d and insecure-registries; "+
			"podman and buildah: registries.conf)", "%s", refused)
	case err != nil:
		return problem("check the address (NORN_REGISTRY_URL) and the network (VPN, proxy)", "%s", err)
	}
	image := q.Registry
	if q.Repository != "" {
		image += "/" + q.Repository
	}
	switch answer {
	case registry.Open:
		return ok("%s answers and requires no login", q.Registry)
	case registry.LoginRequired:
		return problem(logIn(builder, q.Registry),
			"%s requires a login, and %s is not logged in", q.Registry, orBuilder(builder))
	case registry.Refused:
		return problem(logIn(builder, q.Registry)+", or renew the token", "%s rejected %s", q.Registry, q.Login)
	case registry.NoPush:
		return problem("ask for permission to push, or log in as another user",
			"%s accepts %s, but does not allow it to push to %s", q.Registry, q.Login, image)
	}
	return ok("%s accepts %s", q.Registry, q.Login)
}

func orBuilder(builder string) string {
	if builder == "" {
		return "docker"
	}
	return builder
}

func logIn(builder, address string) string {
	host, _, _ := strings.Cut(address, "/")
	return fmt.Sprintf("%s login %s", orBuilder(builder), host)
}

// loads checks how images reach a local cluster without a registry.
func (e *examination) loads(ctx context.Context) Verdict {
	const hint = "set a registry with --registry or NORN_REGISTRY_URL"
	unknown := skipped("no registry configured, and without a cluster norn cannot tell whether it needs one")
	select {
	case <-e.connected:
	case <-ctx.Done():
		return unknown
	}
	if e.client == nil {
		return unknown
	}
	local, err := connect.Local(ctx, e.client)
	if err != nil {
		return problem(pipeline.HintOf(err), "%s", err)
	}
	needed := Warning
	if e.built() {
		needed = Problem
	}
	name := image.LoaderName(local.Kind)
	switch {
	case local.Kind == "":
		return Verdict{State: needed, Hint: hint,
			Detail: "no registry configured, and images cannot be loaded into this cluster because it is not known to be local"}
	case local.Kind == "docker-desktop" && e.findBuilder(ctx).working() == "docker":
		return ok("no registry is needed: the cluster uses the images of docker")
	case !command.Installed(name):
		detail := fmt.Sprintf("no registry configured, and %s, which loads images into %s, is not installed",
			name, local.Kind)
		return Verdict{State: needed, Hint: "install it, or " + hint, Detail: detail}
	}
	return ok("no registry is needed: %s loads images into the local cluster", name)
}
