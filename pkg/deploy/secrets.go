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

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// redacted are steps whose output, that of the programs they run too, goes through the redactor before it is cut into lines.
func (r *run) redacted(steps []pipeline.Step) []pipeline.Step {
	if r.options.Redactor == nil {
		return steps
	}
	for i, s := range steps {
		steps[i].Run = func(ctx context.Context, out io.Writer) (pipeline.Result, error) {
			w := redactedOut{r.options.Redactor.Writer(out), out}
			defer func() { _ = w.Close() }()
			return s.Run(ctx, w)
		}
	}
	return steps
}

// redactedOut is a step's output without secret values.
type redactedOut struct {
	io.WriteCloser
	step io.Writer
}

// Warn implements pipeline.StepWriter. The text is whole, and is redacted where it is printed.
func (o redactedOut) Warn(text string) { pipeline.Warn(o.step, "%s", text) }

// Wait implements pipeline.StepWriter.
func (o redactedOut) Wait(text string, pods []pipeline.Pod) { pipeline.Wait(o.step, text, pods) }

// decrypt decrypts the app's SOPS file in this process, of the source where that has one, and takes the declared values. It comes before
// everything that takes long or could print a value: a key that is not here, a value that is missing, or a Secret that is in the way stops the
// run before anything is built.
func (r *run) decrypt(ctx context.Context) error {
	if len(r.spec.Secrets) == 0 {
		return nil
	}
	own := filepath.Join(r.dir, secrets.FileName)
	path := own
	if r.source.Dir != "" {
		path = filepath.Join(r.source.Dir, secrets.FileName)
		if _, err := os.Stat(path); err != nil && r.spec.Repo.URL != "" { // kept beside the infraspec, not with the source
			path = own
		}
	}
	file, err := secrets.Open(ctx, path)
	if err == nil {
		defer file.Close()
		if r.options.Redactor != nil {
			file.Each(func(name string, v secrets.Value) { r.options.Redactor.Hide(name, v.Reveal()) })
		}
		r.values, err = file.Pick(r.spec.Secrets)
	}
	if fileError, ok := errors.AsType[*secrets.FileError](err); ok && fileError.Path == path { // the user's own file, not the copy that was read
		fileError.Path = own
	}
	if err == nil {
		_, err = r.liveSecret(ctx, objects.SecretName(r.spec.App))
	}
	return err
}

// secrets brings the Secret <app>-secrets to the declared names: what the infraspec has dropped goes, and so does what others have added.
func (r *run) secrets(ctx context.Context, _ io.Writer) (pipeline.Result, error) {
	name := objects.SecretName(r.spec.App)
	live, err := r.liveSecret(ctx, name)
	if err != nil {
		return pipeline.Result{}, err
	}
	if len(r.spec.Secrets) == 0 && (live == nil || len(live.Data) == 0) {
		return pipeline.Result{State: pipeline.Skipped, Detail: "the infraspec declares none"}, nil
	}
	now, err := r.cluster.ApplySecret(ctx, r.secret(name, r.values))
	if err != nil {
		return pipeline.Result{}, err
	}
	var left []string // somebody else's fields, which an apply leaves alone
	for key := range now.Data {
		if _, declared := r.values[key]; !declared {
			left = append(left, key)
		}
	}
	if len(left) > 0 {
		if now, err = r.cluster.DropSecretKeys(ctx, r.options.Namespace, name, left); err != nil {
			return pipeline.Result{}, err
		}
	}
	if len(r.spec.Secrets) > 0 {
		r.secretVersion = now.ResourceVersion
	}
	return synced(name, live, r.values, live != nil && live.ResourceVersion == now.ResourceVersion), nil
}

// liveSecret is the app's Secret in the cluster, or nil. One that is not norn's is a *objects.ConflictError.
func (r *run) liveSecret(ctx context.Context, name string) (*corev1.Secret, error) {
	live, err := r.cluster.GetSecret(ctx, r.options.Namespace, name)
	if k8s.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absence is no error here
	}
	if err == nil {
		err = objects.CheckOwner("Secret", live, r.spec.App)
	}
	if err != nil {
		if len(r.spec.Secrets) == 0 && errors.As(err, new(*objects.ConflictError)) {
			return nil, nil //nolint:nilnil // it is in nobody's way
		}
		return nil, err
	}
	if r.options.Redactor != nil { // what the pods have had until now is as secret
		for key, value := range live.Data {
			r.options.Redactor.Hide(key, string(value))
		}
	}
	return live, nil
}

// synced tells by name what became of the Secret.
func synced(name string, live *corev1.Secret, values map[string]secrets.Value, unchanged bool) pipeline.Result {
	result := pipeline.Result{State: pipeline.Configured, Detail: fmt.Sprintf("%s holds %s", name, strings.Join(slices.Sorted(maps.Keys(values)), ", "))}
	if unchanged {
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

// databaseURL is the DATABASE_URL that the app gets by its env or secrets, or "".
func (r *run) databaseURL(ctx context.Context) (string, error) {
	if plain, ok := r.spec.Env[objects.DatabaseURL]; ok {
		return plain, nil
	}
	if !slices.Contains(r.spec.Secrets, objects.DatabaseURL) {
		return "", nil
	}
	if r.values == nil {
		if err := r.decrypt(ctx); err != nil {
			return "", err
		}
	}
	return r.values[objects.DatabaseURL].Reveal(), nil
}

// stillRead refuses a deploy that would take a value away from under the pods: one that the infraspec has dropped, and they
// still read.
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
		Problem: fmt.Sprintf("the cluster's pods still read %s, which the infraspec no longer declares", strings.Join(dropped, ", ")),
		Advice:  "bring it up to date first with norn forge " + spec.App,
	}
}

// notYetRead warns of declared names that the pods do not read, so that none of them will see the values.
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
	return fmt.Sprintf("the pods do not read %s yet; run norn forge %s after this deploy", strings.Join(missing, ", "), spec.App)
}

func (r *run) secret(name string, values map[string]secrets.Value) *applycore.SecretApplyConfiguration {
	data := make(map[string][]byte, len(values))
	for key, v := range values {
		data[key] = []byte(v.Reveal())
	}
	return applycore.Secret(name, r.options.Namespace).
		WithLabels(objects.Labels(r.spec)).
		WithType(corev1.SecretTypeOpaque).
		WithData(data)
}
