package connect

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// KubeconfigNames holds the names of a kubeconfig's entries.
type KubeconfigNames struct {
	Contexts        map[string]string // context to cluster
	Clusters, Users []string          // sorted
}

// NamesIn reads the names from the kubeconfig files that flags and environment select.
func NamesIn(flags *genericclioptions.ConfigFlags) (KubeconfigNames, error) {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return KubeconfigNames{}, fmt.Errorf("read the kubeconfig: %w", err)
	}
	names := KubeconfigNames{
		Contexts: map[string]string{},
		Clusters: slices.Sorted(maps.Keys(raw.Clusters)),
		Users:    slices.Sorted(maps.Keys(raw.AuthInfos)),
	}
	for name, c := range raw.Contexts {
		names.Contexts[name] = c.Cluster
	}
	return names, nil
}
