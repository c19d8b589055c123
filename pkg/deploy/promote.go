package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// Origin is where the version to promote runs.
type Origin struct {
	Cluster *k8s.Client
	Where   string // the environment and its place, for messages
	rollout.Target
}

// Promote runs the step that chooses the version to promote: the one that runs in another environment. It sets the
// options for its deploy, which builds and pushes nothing. cluster is the one to deploy to.
func (o *Options) Promote(ctx context.Context, cluster *k8s.Client, to pipeline.Reporter, from Origin) error {
	choose := func(ctx context.Context, _ io.Writer) (Entry, pipeline.Result, error) {
		running, err := promotable(ctx, from)
		if err == nil {
			err = checkReachable(ctx, running, from, cluster)
		}
		if err != nil {
			return Entry{}, pipeline.Result{}, err
		}
		return running, pipeline.Result{State: pipeline.Done, Detail: running.title() + ", verified in " + from.Where}, nil
	}
	runs, err := pipeline.RunStep(ctx, o.runner(to), pipeline.Step[Entry]{Name: "choose", Run: choose, Plan: choose})
	o.Image, o.Ref, o.From = runs.Image, runs.Commit, from.Environment
	return err
}

// title returns the version's name and the subject of its commit.
func (e Entry) title() string {
	if e.Subject == "" {
		return e.Version()
	}
	return fmt.Sprintf("%s %q", e.Version(), e.Subject)
}

// promotable returns the release that runs in the environment. Its error says what keeps it from being promoted.
func promotable(ctx context.Context, from Origin) (Entry, error) {
	var running Entry
	var err error
	switch from.Spec.Role {
	case infraspec.Webserver, infraspec.Worker:
		running, err = verifiedRelease(ctx, from)
	case infraspec.Cron, infraspec.Function:
		running, err = deployedVersion(ctx, from)
	}
	if err != nil {
		return Entry{}, err
	}
	if strings.HasSuffix(running.Commit, metadata.DirtySuffix) {
		return Entry{}, &pipeline.UsageError{
			Problem: fmt.Sprintf("environment %s runs uncommitted changes (%s), whose infraspec norn cannot read again",
				from.Environment, running.Version()),
			Advice: fmt.Sprintf("commit them, deploy the commit with norn deploy --env %s, and promote that", from.Environment),
		}
	}
	return running, nil
}

// verifiedRelease returns the current release of an app with Deployments, which must be verified.
func verifiedRelease(ctx context.Context, from Origin) (Entry, error) {
	all, err := readProcesses(ctx, from.Cluster, from.Target)
	if err != nil {
		return Entry{}, err
	}
	releases, _, err := all.releases(ctx, from.Cluster)
	if err != nil {
		return Entry{}, fmt.Errorf("read the history of %s: %w", from.App, err)
	}
	for _, r := range releases {
		if !r.Current {
			continue
		}
		e := entry(r.Revision)
		switch {
		case all.standing[0].live.Spec.Paused:
		case e.Failed != "":
			return Entry{}, unverified(from, fmt.Sprintf("%s, which failed: %s", e.Version(), e.Failed))
		case !e.Verified || r.partial:
			return Entry{}, unverified(from, e.Version()+", which norn has not seen running")
		default:
			return e, nil
		}
	}
	return Entry{}, unverified(from, "no version of "+from.App)
}

func unverified(from Origin, what string) error {
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("environment %s runs %s", from.Environment, what),
		Advice: fmt.Sprintf("norn promotes verified versions only; see norn history --env %s, and deploy there first",
			from.Environment),
	}
}

// deployedVersion returns the version of an app that runs no Pods between its runs. A complete deploy verifies it.
func deployedVersion(ctx context.Context, from Origin) (Entry, error) {
	r := (&run{cluster: from.Cluster, options: Options{Target: from.Target}, repo: from.Repository}).withSpec(from.Spec)
	live, err := r.readWorkload(ctx, from.Spec)
	if err != nil {
		return Entry{}, err
	}
	if live.image == "" {
		return Entry{}, unverified(from, "no version of "+from.App)
	}
	if !live.shipped {
		return Entry{}, unverified(from, metadata.VersionName("", live.image)+", which norn has not deployed")
	}
	return Entry{Image: live.image, Commit: live.commit, Verified: true}, nil
}

// checkReachable returns an error if the cluster cannot run the image, or might run another one.
func checkReachable(ctx context.Context, e Entry, from Origin, cluster *k8s.Client) error {
	if strings.Contains(e.Image, "@") {
		return nil
	}
	policy, err := objects.PullPolicy(e.Image)
	if err != nil {
		return fmt.Errorf("read the image of environment %s: %w", from.Environment, err)
	}
	if policy != corev1.PullNever {
		return &pipeline.UsageError{
			Problem: fmt.Sprintf("environment %s runs %s without a digest, so the tag may name another image now",
				from.Environment, e.Image),
			Advice: fmt.Sprintf("deploy it again with norn deploy --env %s, with a login for the registry", from.Environment),
		}
	}
	same, err := sameCluster(ctx, from.Cluster, cluster)
	if err != nil || same {
		return err
	}
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("image %s is only on the nodes of context %s, and context %s cannot pull it",
			e.Image, from.Cluster.Context, cluster.Context),
		Advice: fmt.Sprintf("set a registry for both (--registry or NORN_REGISTRY_URL), deploy with norn deploy --env %s, "+
			"and promote that", from.Environment),
	}
}

// sameCluster reports whether two clients are connected to one cluster. Users who cannot read its fingerprint need the
// same context.
func sameCluster(ctx context.Context, a, b *k8s.Client) (bool, error) {
	one, err := a.Fingerprint(ctx)
	if err == nil {
		var two string
		two, err = b.Fingerprint(ctx)
		if err == nil {
			return one == two, nil
		}
	}
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		return a.Context == b.Context, nil
	}
	return false, err
}

// adviseCopy adds to the error of a rollout whose nodes cannot pull a promoted image how to copy it.
func (r *run) adviseCopy(err error, image string) error {
	var evidence *rollout.Failure
	if failed, ok := errors.AsType[*rollout.Error](err); ok {
		evidence = &failed.Evidence
	} else if failed, ok := errors.AsType[*rollout.VerifyError](err); ok {
		evidence = &failed.Evidence
	}
	if evidence == nil || r.options.From == "" {
		return err
	}
	switch evidence.Reason {
	case k8srollout.ImagePull, k8srollout.RegistryRefused, k8srollout.ImageNotFound:
		evidence.Hint += fmt.Sprintf("; or copy the image to a registry that they can use "+
			"(skopeo copy --all docker://%s docker://REGISTRY/%s) and run norn deploy --env %s --context %s "+
			"--image REGISTRY/%[2]s", image, r.spec.App, r.spec.Environment, r.cluster.Context)
	default:
	}
	return err
}

// sayPromoted writes how the environment differs from the one that the version is promoted from.
func (r *run) sayPromoted(out io.Writer, live liveApp) error {
	from := r.options.From
	if from == "" {
		return nil
	}
	other, err := r.spec.In(from)
	if err != nil {
		return &pipeline.UsageError{
			Problem: fmt.Sprintf("the infraspec of the version has no environment %s", from),
			Advice:  "add it, and deploy a commit that has it to " + from,
		}
	}
	if keys := r.spec.Differing(other); len(keys) > 0 {
		_, _ = fmt.Fprintf(out, "environment %s differs from %s in %s\n", r.spec.Environment, from, strings.Join(keys, ", "))
	}
	for i, w := range r.spec.Workloads() {
		if fields := live.all()[i].differs; len(fields) > 0 {
			_, _ = fmt.Fprintf(out, "the infraspec of this version changes Deployment %s: %s\n", w.Workload(),
				strings.Join(fields, ", "))
		}
	}
	switch before := strings.TrimSuffix(live.commit, metadata.DirtySuffix); {
	case live.image == "":
		_, _ = fmt.Fprintf(out, "environment %s runs no version yet\n", r.spec.Environment)
	case live.verified && before != "" && r.options.Ref != "" && before != r.options.Ref:
		_, _ = fmt.Fprintf(out, "environment %s runs %s; git log %[2]s..%[3]s lists the commits in between\n",
			r.spec.Environment, metadata.ShortCommit(before), metadata.ShortCommit(r.options.Ref))
	}
	if r.options.Ref == "" {
		pipeline.Warn(out, "the image has no known commit; norn ships it with the infraspec and the secrets in %s", r.dir)
	}
	return nil
}

// sayPromotedSecrets writes the names of the secrets that a file of one of the two environments sets, and of those
// whose values the promotion changes. place has the files of the version, and values are their declared values.
func (r *run) sayPromotedSecrets(
	ctx context.Context, out io.Writer, place secrets.Place, values map[string]secrets.Value,
) error {
	if r.options.From == "" || len(r.spec.Secrets) == 0 {
		return nil
	}
	for _, environment := range []string{r.options.From, r.spec.Environment} {
		names := ownSecrets(secrets.Place{Dir: place.Dir, Environment: environment}, r.spec.Secrets)
		if len(names) > 0 {
			_, _ = fmt.Fprintf(out, "environment %s has values of its own for the secrets %s (%s)\n", environment,
				strings.Join(names, ", "), secrets.NameFor(environment))
		}
	}
	live, err := r.secret.live(ctx)
	if _, denied := errors.AsType[*k8s.DeniedError](err); denied {
		return nil // the user of a dry run need not read it
	}
	if err != nil || live == nil {
		return err
	}
	if changed := changedNames(live.Data, plain(values)); len(changed) > 0 {
		_, _ = fmt.Fprintf(out, "this version changes the secrets %s\n", strings.Join(changed, ", "))
	}
	return nil
}

// changedNames returns the names of the values that differ from those in a Secret, sorted.
func changedNames(live, values map[string][]byte) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if has, ok := live[name]; !ok || !bytes.Equal(has, values[name]) {
			names = append(names, name)
		}
	}
	return names
}

// ownSecrets returns the declared names in the file that belongs to the environment of a place alone. It returns none
// if the file does not exist or is not valid. It needs no key.
func ownSecrets(place secrets.Place, declared []string) []string {
	entries, _ := secrets.Names(place.Own()) // the deploy of that environment reports an error
	var names []string
	for _, e := range entries {
		if slices.Contains(declared, e.Name) {
			names = append(names, e.Name)
		}
	}
	return names
}
