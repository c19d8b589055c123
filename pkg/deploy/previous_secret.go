package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/pipeline"
)

// A deploy that changes values in the app's Secret keeps the old ones in a second Secret until the new version is
// verified. A restore puts them back, also after norn was killed. The second Secret belongs to the Pod templates with
// one version of the Secret: its annotation and theirs are equal.

// previous returns the Secret with the previous values, or nil.
func (a appSecret) previous(ctx context.Context) (*corev1.Secret, error) {
	return a.read(ctx, objects.PreviousSecretName(a.spec.App))
}

// keepPrevious keeps the values that Pods of the templates read and that apply is about to replace with data. The
// templates are those of one version, so they have one version of the Secret. It returns whether a Secret with previous
// values exists now. Values that an interrupted deploy has kept for the same Pods stay: the live ones are newer.
func (a appSecret) keepPrevious(
	ctx context.Context, live *corev1.Secret, data map[string][]byte, templates []corev1.PodTemplateSpec,
) (bool, error) {
	before, err := a.previous(ctx)
	if err != nil || live == nil || len(templates) == 0 {
		return before != nil, err
	}
	version, old := templates[0].Annotations[metadata.SecretAnnotation], map[string][]byte{}
	var keys []string
	for _, t := range templates {
		keys = append(keys, objects.SecretKeys(a.spec.App, t.Spec)...)
	}
	for _, key := range keys {
		value, exists := live.Data[key]
		if next, replaced := data[key]; exists && replaced && string(value) != string(next) {
			old[key] = value
		}
	}
	if before != nil && before.Annotations[metadata.SecretAnnotation] == version {
		maps.Copy(old, before.Data)
	}
	if len(old) == 0 || version == "" {
		return before != nil, nil
	}
	conf := a.conf(objects.Labels(a.spec), old, version).WithName(objects.PreviousSecretName(a.spec.App))
	now, err := a.cluster.ApplySecret(ctx, conf)
	if err == nil && before == nil {
		_, err = a.mark(ctx, now)
	}
	return true, err
}

// putBack puts the previous values back into the app's Secret if the Pods of rs ran with them. It prints the names of
// the values that change. With the values in place, the second Secret is only left over: a failure to delete it is a
// warning. So is a Secret with its name that norn does not manage, because it holds no values of norn's.
func (a appSecret) putBack(ctx context.Context, out io.Writer, rs *appsv1.ReplicaSet) error {
	before, err := a.previous(ctx)
	if conflict, ok := errors.AsType[*objects.ConflictError](err); ok {
		pipeline.Warn(out, "norn does not read the previous values: %v", conflict)
		return nil
	}
	if err != nil && !unreadable(err) {
		return err
	}
	if before == nil {
		return nil
	}
	version := before.Annotations[metadata.SecretAnnotation]
	if version == "" || rs.Spec.Template.Annotations[metadata.SecretAnnotation] != version {
		return nil
	}
	live, err := a.live(ctx)
	if err != nil {
		return err
	}
	if live != nil && !holds(live, before.Data) {
		data := maps.Clone(live.Data)
		maps.Copy(data, before.Data)
		_, err := a.cluster.ApplySecret(ctx, a.conf(live.Labels, data, version))
		if _, denied := errors.AsType[*k8s.DeniedError](err); denied { // a rollback can do without
			pipeline.Warn(out, "the Pods start with the Secret's new values: %v", err)
			return nil
		}
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "Secret %s has the previous %s again\n",
			live.Name, strings.Join(slices.Sorted(maps.Keys(before.Data)), ", "))
	}
	a.deletePrevious(ctx, out, before)
	return nil
}

// deletePrevious deletes the second Secret, or warns that it stays.
func (a appSecret) deletePrevious(ctx context.Context, out io.Writer, s *corev1.Secret) {
	if err := a.cluster.Delete(ctx, s); err != nil {
		pipeline.Warn(out, "the previous values stay in Secret %s: %v", s.Name, err)
	}
}

// forgetPrevious removes the previous values.
func (a appSecret) forgetPrevious(ctx context.Context) error {
	before, err := a.previous(ctx)
	if err != nil || before == nil {
		return err
	}
	return a.cluster.Delete(ctx, before)
}

// checkKeys returns an error if the Pods of a part of a release could not start because the Secret no longer has a key
// that they read. It returns nil if the user cannot read the Secret.
func (a appSecret) checkKeys(ctx context.Context, of k8s.Revision, part *appsv1.ReplicaSet) error {
	keys := objects.SecretKeys(a.spec.App, part.Spec.Template.Spec)
	if len(keys) == 0 {
		return nil
	}
	live, err := a.cluster.GetSecret(ctx, a.namespace, objects.SecretName(a.spec.App))
	if k8s.IsNotFound(err) {
		live = &corev1.Secret{}
	} else if err != nil {
		if unreadable(err) {
			return nil
		}
		return err
	}
	missing := slices.DeleteFunc(keys, func(key string) bool { _, exists := live.Data[key]; return exists })
	if len(missing) == 0 {
		return nil
	}
	advice := "restore the names in the infraspec and in secrets.enc.yaml, and ship the version with norn deploy"
	if of.Commit != "" {
		advice = fmt.Sprintf("run norn deploy %s %s, which adds them again", a.spec.App, metadata.ShortCommit(of.Commit))
	}
	return &pipeline.UsageError{
		Problem: fmt.Sprintf("cannot roll back to %s: its Pods read %s, which Secret %s no longer has",
			rollout.Describe(of), strings.Join(missing, ", "), objects.SecretName(a.spec.App)),
		Advice: advice,
	}
}
