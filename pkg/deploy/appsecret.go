package deploy

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	"norn/pkg/secrets"
)

// secretOf returns the Secret of t's app.
func secretOf(cluster *k8s.Client, t rollout.Target) appSecret {
	spec := t.Spec
	if spec == nil { // a rollback needs no infraspec
		spec = &infraspec.Spec{App: t.App, Environment: t.Environment}
	}
	return appSecret{cluster, spec, t.Namespace, t.Redactor}
}

// appSecret reads and writes an app's Secret, <app>-secrets.
type appSecret struct {
	cluster   *k8s.Client
	spec      *infraspec.Spec
	namespace string
	redactor  rollout.Redactor // hides every value before anything can print it; may be nil
}

func (a appSecret) hide(name, value string) {
	if a.redactor != nil {
		a.redactor.Hide(name, value)
	}
}

// decrypt returns the declared values from the app's SOPS files, decrypted in this process.
//
// It runs before every slow step and every step that could print a value. A missing key, a missing value or a
// conflicting Secret stops a deploy before the build.
func (a appSecret) decrypt(ctx context.Context, place secrets.Place) (map[string]secrets.Value, error) {
	if len(a.spec.Secrets) == 0 {
		return nil, nil
	}
	values, err := a.readFiles(ctx, place)
	// Name the user's file, not its copy.
	if fileError, ok := errors.AsType[*secrets.FileError](err); ok && filepath.Dir(fileError.Path) == place.Dir {
		own := secrets.Place{Dir: filepath.Dir(a.spec.Path()), Environment: place.Environment}
		fileError.Path = filepath.Join(own.Dir, filepath.Base(fileError.Path))
		if onDisk := existing(own); len(onDisk) > 0 && errors.Is(err, fs.ErrNotExist) {
			fileError.Path = filepath.Join(own.Dir, onDisk[len(onDisk)-1])
			fileError.Problem, fileError.Advice = "the version to deploy does not contain the file", "commit it"
		}
	}
	if err == nil {
		_, err = a.live(ctx)
	}
	return values, err
}

// readFiles returns the declared values from the SOPS files. It hides all values in output, also common
// values that the environment's file replaces.
func (a appSecret) readFiles(ctx context.Context, place secrets.Place) (map[string]secrets.Value, error) {
	files, err := secrets.OpenLayers(ctx, place)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	files.Each(func(name string, v secrets.Value) { a.hide(name, v.Reveal()) })
	values, err := files.Pick(a.spec.Secrets)
	if err == nil {
		err = checkSizes(files, values, a.spec.SecretFiles())
	}
	return values, err
}

// live returns the Secret in the cluster, or nil. If norn does not manage it, the error is an *objects.ConflictError.
func (a appSecret) live(ctx context.Context) (*corev1.Secret, error) {
	live, err := a.read(ctx, objects.SecretName(a.spec.App))
	if len(a.spec.Secrets) == 0 && errors.As(err, new(*objects.ConflictError)) {
		return nil, nil //nolint:nilnil // it conflicts with nothing
	}
	return live, err
}

// read returns a Secret of the app, or nil. It hides the values in output, because Pods that have them may print them.
func (a appSecret) read(ctx context.Context, name string) (*corev1.Secret, error) {
	s, err := a.cluster.GetSecret(ctx, a.namespace, name)
	if k8s.IsNotFound(err) {
		return nil, nil //nolint:nilnil // a missing Secret is a valid answer
	}
	if err == nil {
		err = objects.CheckOwner(objects.KindSecret, s, a.spec.App)
	}
	if err == nil {
		err = objects.CheckEnvironment(objects.KindSecret, s, a.spec.Environment)
	}
	if err != nil {
		return nil, err
	}
	for key, value := range s.Data {
		a.hide(key, string(value))
	}
	return s, nil
}

// changed returns the declared values if the Secret in the cluster does not hold them yet, or nil.
func (a appSecret) changed(ctx context.Context, declared map[string]secrets.Value) (map[string][]byte, error) {
	if len(a.spec.Secrets) == 0 {
		return nil, nil
	}
	live, err := a.cluster.GetSecret(ctx, a.namespace, objects.SecretName(a.spec.App))
	if err != nil && !k8s.IsNotFound(err) {
		return nil, err
	}
	data := plain(declared)
	if err == nil && holds(live, data) {
		return nil, nil
	}
	return data, nil
}

// apply writes values into the Secret, keeps the given keys as they are, and removes all others.
//
// It returns the Secret's version for the Pod template: the resourceVersion after the values were written. Removing a
// kept key later does not change that version, because it does not affect the new Pods.
func (a appSecret) apply(
	ctx context.Context, live *corev1.Secret, values map[string]secrets.Value, keep []string,
) (*corev1.Secret, string, error) {
	data, wrote := plain(values), ""
	if live != nil && holds(live, data) {
		isPreview := a.spec.TTL() > 0 // its mark changes with each deploy
		if wrote = live.Annotations[metadata.SecretAnnotation]; wrote == "" && (isPreview || len(live.Data) > len(data)) {
			wrote = live.ResourceVersion
		}
	}
	for _, key := range keep {
		data[key] = live.Data[key]
	}
	now, err := a.cluster.ApplySecret(ctx, a.conf(objects.Labels(a.spec), data, wrote))
	if err == nil && (live == nil || a.spec.TTL() > 0) { // later, a mark would change the version, and so replace the Pods
		now, err = a.mark(ctx, now)
	}
	if err != nil {
		return nil, "", err
	}
	var left []string // other field managers' keys, which an apply leaves alone
	for key := range now.Data {
		if _, wanted := data[key]; !wanted {
			left = append(left, key)
		}
	}
	if len(left) > 0 {
		if now, err = a.cluster.RemoveSecretKeys(ctx, a.namespace, now.Name, left); err != nil {
			return nil, "", err
		}
	}
	return now, cmp.Or(wrote, now.ResourceVersion), nil
}

// mark marks a Secret as norn's, and with the time at which a preview expires.
func (a appSecret) mark(ctx context.Context, s *corev1.Secret) (*corev1.Secret, error) {
	expires, err := forge.Expiry(ctx, a.cluster, a.spec)
	if err != nil {
		return nil, err
	}
	return k8s.MarkOwned(ctx, a.cluster, s, k8s.Mark{Expires: expires})
}

// conf returns the app's Secret. If version is not "", the Secret records it for the Pods' templates.
func (a appSecret) conf(labels map[string]string, data map[string][]byte, version string,
) *applycore.SecretApplyConfiguration {
	conf := applycore.Secret(objects.SecretName(a.spec.App), a.namespace).
		WithLabels(labels).WithType(corev1.SecretTypeOpaque).WithData(data)
	if version != "" {
		conf.WithAnnotations(map[string]string{metadata.SecretAnnotation: version})
	}
	return conf
}

// plain returns values as a Secret holds them.
func plain(values map[string]secrets.Value) map[string][]byte {
	data := make(map[string][]byte, len(values))
	for key, v := range values {
		data[key] = []byte(v.Reveal())
	}
	return data
}

// holds reports whether a Secret has all values in data. It may have further keys.
func holds(live *corev1.Secret, data map[string][]byte) bool {
	for key, value := range data {
		if has, ok := live.Data[key]; !ok || !bytes.Equal(has, value) {
			return false
		}
	}
	return true
}
