package objects

import (
	"maps"
	"net/url"
	"slices"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// environment returns the container's environment: the sorted env with a generated DATABASE_URL if needed, then each
// secret as a reference. Kubernetes does not expand the values of a Secret.
func environment(spec *infraspec.Spec, s Settings) []*applycore.EnvVarApplyConfiguration {
	plain := maps.Clone(spec.Env)
	if u := databaseAddress(spec, s); u != "" {
		if plain == nil {
			plain = map[string]string{}
		}
		plain[infraspec.DatabaseURL] = u
	}
	var out []*applycore.EnvVarApplyConfiguration
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		out = append(out, applycore.EnvVar().WithName(name).WithValue(literal(plain[name])))
	}
	for _, name := range spec.SecretVariables() {
		secret, key := sourceOf(spec, name)
		ref := applycore.SecretKeySelector().WithName(secret).WithKey(key)
		out = append(out, applycore.EnvVar().WithName(name).WithValueFrom(applycore.EnvVarSource().WithSecretKeyRef(ref)))
	}
	return out
}

// databaseAddress returns the generated DATABASE_URL, or "" if the app has no database or sets the variable itself.
func databaseAddress(spec *infraspec.Spec, s Settings) string {
	pg := spec.Services.Postgres
	if pg == nil || pg.Database == "" {
		return ""
	}
	if _, set := spec.Env[infraspec.DatabaseURL]; set || slices.Contains(spec.SecretVariables(), infraspec.DatabaseURL) {
		return ""
	}
	u := url.URL{Scheme: "postgres", Host: s.PostgresHost + ":5432", Path: "/" + pg.Database, RawQuery: "sslmode=disable"}
	if s.PostgresUser != "" {
		u.User = url.User(s.PostgresUser)
	}
	return u.String()
}
