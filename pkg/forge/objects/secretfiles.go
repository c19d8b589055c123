package objects

import (
	"slices"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// secretFileMode lets every user read the files of secrets: the image decides which user the app runs as, and an owner
// or a group for the files would change those of the app's claims too.
const secretFileMode = 0o444

// sourceOf returns the Secret and the key with the value of a secret.
func sourceOf(spec *infraspec.Spec, name string) (secret, key string) {
	if ref, ok := spec.Reference(name); ok {
		return ref.Secret, ref.Key
	}
	return SecretName(spec.App), name
}

// withSecretFiles adds the volume with the secrets that the app gets as files. It has a file for each, under the name
// of the secret, and a part for each Secret.
func withSecretFiles(pod *applycore.PodSpecApplyConfiguration, spec *infraspec.Spec) {
	names := spec.SecretFiles()
	if len(names) == 0 {
		return
	}
	container := &pod.Containers[0]
	var secrets []string
	items := map[string][]*applycore.KeyToPathApplyConfiguration{}
	for _, name := range names {
		secret, key := sourceOf(spec, name)
		secrets = append(secrets, secret)
		items[secret] = append(items[secret], applycore.KeyToPath().WithKey(key).WithPath(name))
		container.WithVolumeMounts(applycore.VolumeMount().WithName(infraspec.SecretVolume).WithSubPath(name).
			WithMountPath(spec.SecretSources[name].File).WithReadOnly(true))
	}
	slices.Sort(secrets)
	files := applycore.ProjectedVolumeSource().WithDefaultMode(secretFileMode)
	for _, secret := range slices.Compact(secrets) {
		part := applycore.SecretProjection().WithName(secret).WithItems(items[secret]...)
		files.WithSources(applycore.VolumeProjection().WithSecret(part))
	}
	pod.WithVolumes(applycore.Volume().WithName(infraspec.SecretVolume).WithProjected(files))
}
