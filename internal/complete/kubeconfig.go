package complete

import (
	"maps"
	"slices"

	"norn/pkg/k8s/connect"
)

// Contexts returns the contexts of a kubeconfig, described by their clusters.
func Contexts(names connect.KubeconfigNames) []Value {
	values := make([]Value, 0, len(names.Contexts))
	for _, name := range slices.Sorted(maps.Keys(names.Contexts)) {
		values = append(values, Value{name, "cluster " + names.Contexts[name]})
	}
	return values
}

// Words returns values without descriptions.
func Words(words ...string) []Value {
	values := make([]Value, 0, len(words))
	for _, w := range words {
		values = append(values, Value{Text: w})
	}
	return values
}
