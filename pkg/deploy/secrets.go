package deploy

import (
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

	"norn/internal/pipeline"
	"norn/pkg/forge"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/secrets"
)

// secrets decrypts the app's SOPS file in this process and brings the Secret <app>-secrets to the declared names.
func (r *run) secrets(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	if len(r.spec.Secrets) == 0 {
		return pipeline.Result{State: pipeline.Skipped, Detail: "the infraspec declares none"}, nil
	}
	values, err := r.declared()
	if err != nil {
		return pipeline.Result{}, err
	}
	name := forge.SecretName(r.spec.App)
	live, err := r.cluster.GetSecret(ctx, r.options.Namespace, name)
	switch {
	case k8s.IsNotFound(err):
		live = nil
	case err != nil:
		return pipeline.Result{}, err
	default:
		if err := forge.Owned("Secret", live, r.spec.App); err != nil {
			return pipeline.Result{}, err
		}
	}
	now, err := r.cluster.ApplySecret(ctx, r.secret(name, values))
	if err != nil {
		return pipeline.Result{}, err
	}
	r.secretVersion = now.ResourceVersion
	result := pipeline.Result{State: pipeline.Configured, Detail: fmt.Sprintf("%s holds %s", name, strings.Join(slices.Sorted(maps.Keys(values)), ", "))}
	switch {
	case live == nil:
		result.State = pipeline.Created
	case live.ResourceVersion == now.ResourceVersion:
		result.State = pipeline.Unchanged
	}
	return result, nil
}

// declared decrypts the app's SOPS file, of the source where that has one, and returns the declared names' values.
func (r *run) declared() (map[string]secrets.Value, error) {
	own := filepath.Join(r.dir, secrets.FileName)
	path := own
	if r.source.dir != "" {
		path = filepath.Join(r.source.dir, secrets.FileName)
		if _, err := os.Stat(path); err != nil && r.spec.Repo.URL != "" { // kept beside the infraspec, not with the source
			path = own
		}
	}
	all, err := secrets.Decrypt(path)
	var values map[string]secrets.Value
	if err == nil {
		values, err = secrets.Pick(path, all, r.spec.Secrets)
	}
	if fileError, ok := errors.AsType[*secrets.FileError](err); ok { // the user's own file, not the copy that was read
		fileError.Path = own
	}
	return values, err
}

// decryptable finds out early that a secret is missing or a key is not here: nothing has been built by then.
func (r *run) decryptable() error {
	if len(r.spec.Secrets) == 0 {
		return nil
	}
	_, err := r.declared()
	return err
}

// databaseURL is the DATABASE_URL that the app gets by its env or secrets, or "".
func (r *run) databaseURL() (string, error) {
	if plain, ok := r.spec.Env[forge.DatabaseURL]; ok {
		return plain, nil
	}
	if !slices.Contains(r.spec.Secrets, forge.DatabaseURL) {
		return "", nil
	}
	values, err := r.declared()
	if err != nil {
		return "", err
	}
	return values[forge.DatabaseURL].Reveal(), nil
}

// stillRead refuses a deploy that would take a value away from under the pods: one that the infraspec has dropped, and they
// still read.
func stillRead(pod corev1.PodSpec, spec *infraspec.Spec) error {
	var dropped []string
	for _, key := range forge.SecretKeys(spec.App, pod) {
		if !slices.Contains(spec.Secrets, key) {
			dropped = append(dropped, key)
		}
	}
	if len(dropped) == 0 {
		return nil
	}
	return &UsageError{
		fmt.Sprintf("the cluster's pods still read %s, which the infraspec no longer declares", strings.Join(dropped, ", ")),
		"bring it up to date first with norn forge " + spec.App,
	}
}

// notYetRead warns of declared names that the pods do not read, so that none of them will see the values.
func notYetRead(pod corev1.PodSpec, spec *infraspec.Spec) string {
	reads := forge.SecretKeys(spec.App, pod)
	var missing []string
	for _, name := range spec.Secrets {
		if !slices.Contains(reads, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("warning: the pods do not read %s yet; run norn forge %s after this deploy", strings.Join(missing, ", "), spec.App)
}

func (r *run) secret(name string, values map[string]secrets.Value) *applycore.SecretApplyConfiguration {
	data := make(map[string][]byte, len(values))
	for key, v := range values {
		data[key] = []byte(v.Reveal())
	}
	return applycore.Secret(name, r.options.Namespace).
		WithLabels(forge.Labels(r.spec)).
		WithType(corev1.SecretTypeOpaque).
		WithData(data)
}
