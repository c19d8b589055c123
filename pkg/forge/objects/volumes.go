package objects

import (
	corev1 "k8s.io/api/core/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"

	"norn/pkg/infraspec"
)

// ClaimedVolumes returns the volumes that need a PersistentVolumeClaim: those without a hostPath.
func ClaimedVolumes(spec *infraspec.Spec) []infraspec.Volume {
	var out []infraspec.Volume
	for _, v := range spec.Volumes {
		if v.HostPath == "" {
			out = append(out, v)
		}
	}
	return out
}

// Claims returns the app's PersistentVolumeClaims.
func Claims(spec *infraspec.Spec, s Settings) []*applycore.PersistentVolumeClaimApplyConfiguration {
	var out []*applycore.PersistentVolumeClaimApplyConfiguration
	for _, v := range ClaimedVolumes(spec) {
		size := corev1.ResourceList{corev1.ResourceStorage: v.Size.Value()}
		claim := applycore.PersistentVolumeClaimSpec().
			WithAccessModes(corev1.PersistentVolumeAccessMode(v.Mode())).
			WithResources(applycore.VolumeResourceRequirements().WithRequests(size))
		if v.Class != "" {
			claim.WithStorageClassName(v.Class)
		}
		out = append(out, applycore.PersistentVolumeClaim(ClaimName(spec.App, v.Name), s.Namespace).
			WithLabels(Labels(spec)).WithSpec(claim))
	}
	return out
}

func volumes(spec *infraspec.Spec) []*applycore.VolumeApplyConfiguration {
	var out []*applycore.VolumeApplyConfiguration
	for _, v := range spec.Volumes {
		vol := applycore.Volume().WithName(v.Name)
		if v.HostPath != "" {
			vol.WithHostPath(applycore.HostPathVolumeSource().WithPath(v.HostPath))
		} else {
			claim := applycore.PersistentVolumeClaimVolumeSource().WithClaimName(ClaimName(spec.App, v.Name))
			vol.WithPersistentVolumeClaim(claim)
		}
		out = append(out, vol)
	}
	return out
}

func mounts(spec *infraspec.Spec) []*applycore.VolumeMountApplyConfiguration {
	var out []*applycore.VolumeMountApplyConfiguration
	for _, v := range spec.Volumes {
		out = append(out, applycore.VolumeMount().WithName(v.Name).WithMountPath(v.MountPath))
	}
	return out
}
