package deploy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/pipeline"
	"norn/pkg/secrets"
)

// secretState is what the secrets step leaves behind.
type secretState struct {
	version  string   // of the Secret, or "" if the app declares no secrets
	kept     []string // keys that the infraspec has dropped and Pods still read
	previous bool     // a second Secret has the previous values
}

// secrets returns the step that makes the keys of the Secret equal to the declared names. It also removes keys that
// the infraspec has dropped or that others have added. What the running Pods read stays until the new Pods have
// replaced them, because a restored version needs it: dropped keys in the Secret, and changed values in a second one.
func (r *run) secrets(s sourced) pipeline.Step[secretState] {
	const noneDeclared = "the infraspec declares no secrets"
	plan := pipeline.Fixed(secretState{}, pipeline.Planned, cmp.Or(strings.Join(r.spec.Secrets, ", "), noneDeclared))
	if len(r.spec.Secrets) == 0 && len(objects.SecretKeys(r.spec.App, s.live.pod)) == 0 { // else the run removes them
		plan = pipeline.Fixed(secretState{}, pipeline.Skipped, noneDeclared)
	}
	run := func(ctx context.Context, out io.Writer) (secretState, pipeline.Result, error) {
		live, err := r.secret.live(ctx)
		if err != nil {
			return secretState{}, pipeline.Result{}, err
		}
		if len(r.spec.Secrets) == 0 && (live == nil || len(live.Data) == 0) {
			return secretState{}, pipeline.Result{State: pipeline.Skipped, Detail: noneDeclared}, nil
		}
		read, err := r.readers(ctx)
		if err != nil {
			return secretState{}, pipeline.Result{}, err
		}
		kept := r.stillRead(live, read.templates)
		previous, err := r.secret.keepPrevious(ctx, live, plain(s.values), read.verified)
		if err != nil {
			return secretState{}, pipeline.Result{}, err
		}
		now, version, err := r.secret.apply(ctx, live, s.values, kept)
		if err != nil {
			return secretState{}, pipeline.Result{}, err
		}
		if len(kept) > 0 {
			_, _ = fmt.Fprintf(out, "%s stays until the new Pods run\n", strings.Join(kept, ", "))
		}
		if len(r.spec.Secrets) == 0 {
			version = ""
		}
		return secretState{version, kept, previous}, synced(live, now), nil
	}
	return pipeline.Step[secretState]{Name: "secrets", Run: run, Plan: plan}
}

// stillRead returns the keys of the Secret that the infraspec has dropped and that Pods with these templates read.
func (r *run) stillRead(live *corev1.Secret, templates []corev1.PodSpec) []string {
	var keys []string
	for _, pod := range templates {
		keys = append(keys, dropped(pod, r.spec)...)
	}
	slices.Sort(keys)
	return slices.DeleteFunc(slices.Compact(keys), func(key string) bool {
		if live == nil {
			return true
		}
		_, exists := live.Data[key]
		return !exists
	})
}

// dropSecrets removes what the secrets step kept, except for keys that Pods still read. A failure is only a warning:
// the next deploy removes them.
func (r *run) dropSecrets(ctx context.Context, out io.Writer, s sourced, state secretState) {
	if len(state.kept) > 0 {
		r.dropKeys(ctx, out, s, state.kept)
	}
	if state.previous {
		if err := r.secret.forgetPrevious(ctx); err != nil {
			pipeline.Warn(out, "the previous values stay in Secret %s: %v", objects.PreviousSecretName(r.spec.App), err)
		}
	}
}

func (r *run) dropKeys(ctx context.Context, out io.Writer, s sourced, kept []string) {
	live, err := r.secret.live(ctx)
	if err == nil && live != nil {
		var read readers
		if read, err = r.readers(ctx); err == nil {
			still := r.stillRead(live, read.templates)
			kept = slices.DeleteFunc(kept, func(key string) bool { return slices.Contains(still, key) })
			if len(kept) == 0 { // the rollout replaced no Pods, because none was wanted
				return
			}
			_, _, err = r.secret.apply(ctx, live, s.values, still)
		}
	}
	names := strings.Join(kept, ", ")
	if err != nil {
		pipeline.Warn(out, "%s stays in the Secret: %v", names, err)
		return
	}
	_, _ = fmt.Fprintf(out, "removed %s from Secret %s\n", names, objects.SecretName(r.spec.App))
}

// synced reports which keys of the Secret changed between live, which is nil for a new Secret, and now.
func synced(live, now *corev1.Secret) pipeline.Result {
	name := now.Name
	result := pipeline.Result{
		State:  pipeline.Configured,
		Detail: fmt.Sprintf("%s holds %s", name, strings.Join(slices.Sorted(maps.Keys(now.Data)), ", ")),
	}
	if live != nil && live.ResourceVersion == now.ResourceVersion {
		result.State = pipeline.Unchanged
		return result
	}
	var before map[string]secrets.Value
	if live == nil {
		result.State = pipeline.Created
	} else {
		before = valuesOf(live)
	}
	if changes := secrets.Compare(before, valuesOf(now)).String(); changes != "" {
		result.Detail = name + ": " + changes
	}
	return result
}

// valuesOf returns the values in a Secret.
func valuesOf(s *corev1.Secret) map[string]secrets.Value {
	values := make(map[string]secrets.Value, len(s.Data))
	for key, value := range s.Data {
		values[key] = secrets.NewValue(string(value))
	}
	return values
}

// databaseURL returns the DATABASE_URL that the app gets from its env or secrets, or "".
func databaseURL(spec *infraspec.Spec, values, referenced map[string]secrets.Value) string {
	if plain, ok := spec.Env[infraspec.DatabaseURL]; ok {
		return plain
	}
	if value, ok := referenced[infraspec.DatabaseURL]; ok {
		return value.Reveal()
	}
	return values[infraspec.DatabaseURL].Reveal()
}

// secretDatabaseURL reports whether the app gets its DATABASE_URL from its secrets.
func secretDatabaseURL(spec *infraspec.Spec) bool {
	_, plain := spec.Env[infraspec.DatabaseURL]
	return !plain && slices.Contains(spec.SecretVariables(), infraspec.DatabaseURL)
}

// dropped returns the keys of the app's Secret that Pods read and the infraspec does not declare.
func dropped(pod corev1.PodSpec, spec *infraspec.Spec) []string {
	return slices.DeleteFunc(objects.SecretKeys(spec.App, pod), func(key string) bool {
		return slices.Contains(spec.Secrets, key)
	})
}

// checkDropped returns an error if the Pods read a value that the infraspec has dropped. A deploy of the version alone
// would remove it.
func checkDropped(pod corev1.PodSpec, spec *infraspec.Spec) error {
	names := dropped(pod, spec)
	if len(names) == 0 {
		return nil
	}
	return &pipeline.UsageError{
		Problem: fmt.Sprintf(
			"the cluster's Pods still read %s, which the infraspec no longer declares", strings.Join(names, ", "),
		),
		Advice: "deploy without --version-only",
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
		"the Pods do not read %s, and --version-only leaves them as they are", strings.Join(missing, ", "),
	)
}
