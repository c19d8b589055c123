package doctor

import (
	"context"
	"strings"

	"norn/pkg/deploy"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
)

// admission checks whether the cluster accepts the app's objects and Pods, with dry runs of a forge and of one Pod of
// each kind, and whether the image that runs may run as the Pods' user.
func (e *examination) admission(ctx context.Context) Verdict {
	conf := e.Config
	settings, err := forge.SettingsFor(ctx, e.client, objects.Settings{
		Namespace: conf.Namespace, PostgresHost: conf.PGHost, PostgresUser: conf.PGUser,
	})
	if err != nil {
		return problem(pipeline.HintOf(err), "%v", err)
	}
	o := forge.Options{
		Settings: settings,
		// The secrets that are still missing come with the next deploy.
		DeployFollows: true, NextImage: deploy.NextImage(conf.Registry, e.spec.BaseApp()),
		Repository: deploy.Repository(ctx, e.spec),
	}
	said := &notes{}
	if err = forge.Check(ctx, e.client, said, e.spec, o); err == nil {
		err = deploy.CheckRunningUser(ctx, e.client, e.spec, o.Settings, e.Hide)
	}
	if err == nil {
		err = e.references(ctx, said)
	}
	switch {
	case is[*k8s.NamespaceError](err):
		return skipped("the namespace does not exist (see namespace)")
	case is[*k8s.DeniedError](err):
		return skipped("the user is not allowed to send dry runs (see permissions)")
	case err != nil:
		return problem(pipeline.HintOf(err), "%s", firstLine(err.Error())).with(strings.Split(err.Error(), "\n")[1:])
	case len(said.warnings) > 0:
		return warning("", "%s", said.warnings[0]).with(said.warnings[1:])
	case len(said.unchecked) > 0:
		return skipped("%s", strings.Join(said.unchecked, "; "))
	}
	return ok("the cluster accepts the Pods of %s", e.spec.App)
}

// references checks whether the Secrets exist that the infraspec refers to. norn does not create them.
func (e *examination) references(ctx context.Context, to *notes) error {
	refs := e.spec.References()
	read, err := forge.ReadReferenced(ctx, e.client, e.Config.Namespace, refs)
	if err != nil {
		return err
	}
	read.Hide(refs, e.Hide)
	to.unchecked = append(to.unchecked, read.NotChecked()...)
	return read.Check(e.Config.Namespace, refs)
}

// with returns the verdict with further lines.
func (v Verdict) with(more []string) Verdict {
	v.More = append(v.More, more...)
	return v
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// notes collects what a check reports in addition to its result.
type notes struct{ warnings, unchecked []string }

// Report implements pipeline.Reporter.
func (n *notes) Report(e pipeline.Event) {
	switch e.Kind {
	case pipeline.Warned:
		n.warnings = append(n.warnings, e.Line)
	case pipeline.Output:
		n.unchecked = append(n.unchecked, e.Line)
	case pipeline.Started, pipeline.Waiting, pipeline.Failing, pipeline.Ended:
	}
}
