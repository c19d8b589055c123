package status

import (
	"maps"
	"slices"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// SecretName lists the places where a secret value exists. Unknown fields are nil.
type SecretName struct {
	Name     string `json:"name"`
	Declared bool   `json:"declared"`
	File     string `json:"file" redact:"-"` // missing, encrypted, plain, readable, nested or reference
	// From is the name of the file that its value in the chosen environment comes from. For a reference, it is the Secret
	// and its key, such as db/url.
	From    string `json:"from,omitempty"`
	Cluster *bool  `json:"cluster,omitempty"`
	Changed *bool  `json:"changed,omitempty"` // the values in the cluster and in the file differ
}

// Referenced is the File of a secret whose value is in a Secret that norn does not manage.
const Referenced = "reference"

// SecretSources holds an app's secrets by source.
type SecretSources struct {
	Declared []string
	Entries  []secrets.Entry          // of the encrypted files
	ByFile   bool                     // list the file of each entry
	Values   map[string]secrets.Value // a cluster answered
	Asked    bool                     // whether a cluster answered
	Foreign  bool                     // norn does not manage the Secret in the cluster
	Live     map[string]secrets.Value // of the Secret in the cluster
	// References are the secrets whose values are in Secrets that norn does not manage. Exists says whether they are
	// there, as far as norn knows.
	References []infraspec.SecretReference
	Exists     map[string]bool
}

// SecretNames compares the infraspec, the file and the cluster. It returns the file's names in their order, then the
// other names.
func SecretNames(s SecretSources) []SecretName {
	var list []SecretName
	add := func(name, shape, from string) {
		known := slices.ContainsFunc(list, func(n SecretName) bool { return n.Name == name })
		if known || slices.ContainsFunc(s.References, func(r infraspec.SecretReference) bool { return r.Name == name }) {
			return
		}
		n := SecretName{Name: name, Declared: slices.Contains(s.Declared, name), File: shape, From: from}
		if s.Asked && !s.Foreign {
			live, exists := s.Live[name]
			n.Cluster = &exists
			if v, ok := s.Values[name]; ok && exists {
				changed := v.Reveal() != live.Reveal()
				n.Changed = &changed
			}
		}
		list = append(list, n)
	}
	for _, e := range s.Entries {
		if !s.ByFile {
			e.File = ""
		}
		add(e.Name, string(e.Shape), e.File)
	}
	for _, name := range s.Declared {
		add(name, "missing", "")
	}
	for _, ref := range s.References {
		n := SecretName{Name: ref.Name, Declared: true, File: Referenced, From: ref.Secret + "/" + ref.Key}
		if exists, known := s.Exists[ref.Name]; known {
			n.Cluster = &exists
		}
		list = append(list, n)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Live)) {
		add(name, "missing", "")
	}
	return list
}
