package deploy

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// appSecret reads and writes an app's Secret, <app>-secrets.
type appSecret struct {
	cluster   *k8s.Client
	spec      *infraspec.Spec
	namespace string
	redactor  rollout.Redactor // hides every value before anything could print it; or nil
}

func (a appSecret) hide(name, value string) {
	if a.redactor != nil {
		a.redactor.Hide(name, value)
	}
}

// decrypt returns the declared values from the app's SOPS file, decrypted in this process. sourceDir, if not "", is
// the app's folder in the source.
//
// It runs before anything slow, and before anything that could print a value. A missing key, a missing value or a
// conflicting Secret thus stops a deploy before the build.
func (a appSecret) decrypt(ctx context.Context, sourceDir string) (map[string]secrets.Value, error) {
	if len(a.spec.Secrets) == 0 {
		return nil, nil
	}
	own := filepath.Join(filepath.Dir(a.spec.Path()), secrets.FileName)
	path := own
	if sourceDir != "" {
		path = filepath.Join(sourceDir, secrets.FileName)
		if _, err := os.Stat(path); err != nil && a.spec.Repo.URL != "" { // kept beside the infraspec, not with the source
			path = own
		}
	}
	values, err := a.readFile(ctx, path)
	// Name the user's file, not its copy.
	if fileError, ok := errors.AsType[*secrets.FileError](err); ok && fileError.Path == path {
		fileError.Path = own
	}
	if err == nil {
		_, err = a.live(ctx)
	}
	return values, err
}

// readFile returns the declared values from the SOPS file at path.
func (a appSecret) readFile(ctx context.Context, path string) (map[string]secrets.Value, error) {
	file, err := secrets.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	file.Each(func(name string, v secrets.Value) { a.hide(name, v.Reveal()) })
	values, err := file.Pick(a.spec.Secrets)
	if err == nil {
		err = checkSizes(path, values)
	}
	return values, err
}

// live returns the Secret in the cluster, or nil. If norn does not manage it, the error is an *objects.ConflictError.
func (a appSecret) live(ctx context.Context) (*corev1.Secret, error) {
	live, err := a.cluster.GetSecret(ctx, a.namespace, objects.SecretName(a.spec.App))
	if k8s.IsNotFound(err) {
		return nil, nil //nolint:nilnil // a missing Secret is a valid answer
	}
	if err == nil {
		err = objects.CheckOwner("Secret", live, a.spec.App)
	}
	if err != nil {
		if len(a.spec.Secrets) == 0 && errors.As(err, new(*objects.ConflictError)) {
			return nil, nil //nolint:nilnil // it conflicts with nothing
		}
		return nil, err
	}
	for key, value := range live.Data { // hide the Pods' current values too
		a.hide(key, string(value))
	}
	return live, nil
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
	values, changed := map[string][]byte{}, err != nil
	for name, v := range declared {
		values[name] = []byte(v.Reveal())
		changed = changed || !bytes.Equal(values[name], live.Data[name])
	}
	if !changed {
		return nil, nil
	}
	return values, nil
}

// secrets returns the step that makes the keys of the Secret equal to the declared names. It also removes keys that
// the infraspec has dropped or that others have added. The step's value is the Secret's version, or "" if the app
// declares no secrets.
func (r *run) secrets(values map[string]secrets.Value) pipeline.Step[string] {
	const noneDeclared = "the infraspec declares no secrets"
	plan := pipeline.Fixed("", pipeline.Planned, cmp.Or(strings.Join(r.spec.Secrets, ", "), noneDeclared))
	run := func(ctx context.Context, _ io.Writer) (string, pipeline.Result, error) {
		live, err := r.secret.live(ctx)
		if err != nil {
			return "", pipeline.Result{}, err
		}
		if len(r.spec.Secrets) == 0 && (live == nil || len(live.Data) == 0) {
			return "", pipeline.Result{State: pipeline.Skipped, Detail: noneDeclared}, nil
		}
		now, err := r.secret.apply(ctx, values)
		if err != nil {
			return "", pipeline.Result{}, err
		}
		version := ""
		if len(r.spec.Secrets) > 0 {
			version = now.ResourceVersion
		}
		return version, synced(live, now, values), nil
	}
	return pipeline.Step[string]{Name: "secrets", Run: run, Plan: plan}
}

// apply writes values into the Secret, and removes all other keys.
func (a appSecret) apply(ctx context.Context, values map[string]secrets.Value) (*corev1.Secret, error) {
	name := objects.SecretName(a.spec.App)
	data := make(map[string][]byte, len(values))
	for key, v := range values {
		data[key] = []byte(v.Reveal())
	}
	now, err := a.cluster.ApplySecret(ctx, applycore.Secret(name, a.namespace).
		WithLabels(objects.Labels(a.spec)).
		WithType(corev1.SecretTypeOpaque).
		WithData(data))
	if err != nil {
		return nil, err
	}
	var left []string // other field managers' keys, which an apply leaves alone
	for key := range now.Data {
		if _, declared := values[key]; !declared {
			left = append(left, key)
		}
	}
	if len(left) == 0 {
		return now, nil
	}
	return a.cluster.RemoveSecretKeys(ctx, a.namespace, name, left)
}

// synced reports which keys of the Secret changed between live, which is nil for a new Secret, and now.
func synced(live, now *corev1.Secret, values map[string]secrets.Value) pipeline.Result {
	name := now.Name
	result := pipeline.Result{
		State:  pipeline.Configured,
		Detail: fmt.Sprintf("%s holds %s", name, strings.Join(slices.Sorted(maps.Keys(values)), ", ")),
	}
	if live != nil && live.ResourceVersion == now.ResourceVersion {
		result.State = pipeline.Unchanged
		return result
	}
	before := map[string]secrets.Value{}
	if live == nil {
		result.State = pipeline.Created
	} else {
		for key, value := range live.Data {
			before[key] = secrets.NewValue(string(value))
		}
	}
	if changes := secrets.Compare(before, values).String(); changes != "" {
		result.Detail = name + ": " + changes
	}
	return result
}

// databaseURL returns the DATABASE_URL that the app gets from its env or secrets, or "".
func databaseURL(spec *infraspec.Spec, values map[string]secrets.Value) string {
	if plain, ok := spec.Env[infraspec.DatabaseURL]; ok {
		return plain
	}
	return values[infraspec.DatabaseURL].Reveal()
}

// secretDatabaseURL reports whether the app gets its DATABASE_URL from its secrets.
func secretDatabaseURL(spec *infraspec.Spec) bool {
	_, plain := spec.Env[infraspec.DatabaseURL]
	return !plain && slices.Contains(spec.Secrets, infraspec.DatabaseURL)
}

// stillRead returns an error if the Pods read a value that the infraspec has dropped. The deploy would remove it.
func stillRead(pod corev1.PodSpec, spec *infraspec.Spec) error {
	var dropped []string
	for _, key := range objects.SecretKeys(spec.App, pod) {
		if !slices.Contains(spec.Secrets, key) {
			dropped = append(dropped, key)
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	return &pipeline.UsageError{
		Problem: fmt.Sprintf(
			"the cluster's Pods still read %s, which the infraspec no longer declares", strings.Join(dropped, ", "),
		),
		Advice: "update them first with norn forge " + spec.App,
	}
}

// notYetRead returns a warning about declared names that the Pods do not read, or "".
func notYetRead(pod corev1.PodSpec, spec *infraspec.Spec) string {
	reads := objects.SecretKeys(spec.App, pod)
	var missing []string
	for _, name := range spec.Secrets {
		if !slices.Contains(reads, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf(
		"the Pods do not read %s yet; run norn forge %s after this deploy", strings.Join(missing, ", "), spec.App,
	)
}
