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
)

// registry says how an image would get to the cluster: by a registry, and with which login; or, without one, by being loaded.
func (e *examination) registry(ctx context.Context) Verdict {
	if e.Config.Registry == "" {
		return e.loads(ctx)
	}
	if err := image.CheckRegistry(e.Config.Registry); err != nil {
		return problem(hintOf(err), "%s", err)
	}
	q := registry.Question{Registry: strings.TrimSuffix(e.Config.Registry, "/"), Plain: image.PlainHTTP(e.Config.Registry)}
	if e.spec != nil {
		q.Repository = e.spec.App
	}
	builder := e.findBuilder(ctx).tool.Name
	login, err := registry.FindLogin(ctx, builder, q.Registry)
	if err != nil {
		return problem("mend that file, or log in again: "+logIn(builder, q.Registry), "%s", err)
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
		return warning("the builder can have been told to trust it (docker: /etc/docker/certs.d and insecure-registries; podman and buildah: registries.conf); a deploy shows it", "%s", refused)
	case err != nil:
		return problem("check the address (NORN_REGISTRY_URL) and the network (VPN, proxy)", "%s", err)
	}
	image := q.Registry
	if q.Repository != "" {
		image += "/" + q.Repository
	}
	switch answer {
	case registry.Open:
		return ok("%s answers, and asks for no login", q.Registry)
	case registry.LoginRequired:
		return problem(logIn(builder, q.Registry), "%s wants a login, and there is none for it where %s looks", q.Registry, orBuilder(builder))
	case registry.Refused:
		return problem(logIn(builder, q.Registry)+", or renew the token", "%s does not take %s", q.Registry, q.Login)
	case registry.NoPush:
		return problem("have it given the right to push, or log in as somebody who may", "%s takes %s, and does not let it push to %s", q.Registry, q.Login, image)
	}
	return ok("%s takes %s", q.Registry, q.Login)
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

// loads says how images get into a cluster on this machine, where there is no registry.
func (e *examination) loads(ctx context.Context) Verdict {
	const hint = "name a registry with --registry or NORN_REGISTRY_URL"
	unknown := skipped("none is set; whether images could be loaded into the cluster without one is not known without the cluster")
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
		return problem(hintOf(err), "%s", err)
	}
	needed := Warning
	if e.built() {
		needed = Problem
	}
	name := image.LoaderName(local.Kind)
	switch {
	case local.Kind == "":
		return Verdict{State: needed, Detail: "none is set, and the cluster is not known to be one on this machine, which images could be loaded into", Hint: hint}
	case local.Kind == "docker-desktop" && e.findBuilder(ctx).tool.Name == "docker":
		return ok("none is set, and none is needed: the builder's images are the cluster's own")
	case !command.Installed(name):
		return Verdict{State: needed, Detail: fmt.Sprintf("none is set, and %s, which would load images into %s, is not installed", name, local.Kind), Hint: "install it, or " + hint}
	}
	return ok("none is set, and none is needed: %s loads images into the cluster on this machine", name)
}
