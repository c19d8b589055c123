package status

import (
	"maps"
	"slices"

	"norn/pkg/secrets"
)

// SecretName is where one secret is. What is not known is nil.
type SecretName struct {
	Name     string `json:"name"`
	Declared bool   `json:"declared"`
	File     string `json:"file"` // missing, encrypted, plain, readable or nested
	Cluster  *bool  `json:"cluster,omitempty"`
	Changed  *bool  `json:"changed,omitempty"` // the cluster has another value than the file
}

// SecretSources are what is known of an app's secrets.
type SecretSources struct {
	Declared []string
	Entries  []secrets.Entry          // of the encrypted file
	Values   map[string]secrets.Value // of it, or nil where no key was found
	Asked    bool                     // a cluster has answered
	Live     map[string]secrets.Value // the Secret's
}

// SecretNames compares the infraspec, the file and the cluster: the file's names in its order, then what only the others have.
func SecretNames(s SecretSources) []SecretName {
	var list []SecretName
	add := func(name, shape string) {
		if slices.ContainsFunc(list, func(n SecretName) bool { return n.Name == name }) {
			return
		}
		n := SecretName{Name: name, Declared: slices.Contains(s.Declared, name), File: shape}
		if s.Asked {
			live, there := s.Live[name]
			n.Cluster = &there
			if v, ok := s.Values[name]; ok && there {
				changed := v.Reveal() != live.Reveal()
				n.Changed = &changed
			}
		}
		list = append(list, n)
	}
	for _, e := range s.Entries {
		add(e.Name, string(e.Shape))
	}
	for _, name := range s.Declared {
		add(name, "missing")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Live)) {
		add(name, "missing")
	}
	return list
}
