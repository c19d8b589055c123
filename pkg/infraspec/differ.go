package infraspec

import (
	"reflect"
	"slices"
)

// Differing returns the keys in which two infraspecs differ, such as replicas and env.LOG_LEVEL, in the order of the
// file's documentation.
func (s *Spec) Differing(other *Spec) []string {
	keys := differing("", reflect.ValueOf(s).Elem(), reflect.ValueOf(other).Elem())
	return append(keys, s.differingSources(other)...)
}

func differing(path string, a, b reflect.Value) []string {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return nil
	}
	var keys []string
	switch a.Kind() {
	case reflect.Struct:
		fields := fieldsOf(a.Type())
		for _, f := range fields {
			keys = append(keys, differing(join(path, f.name), a.Field(f.index), b.Field(f.index))...)
		}
		if len(fields) > 0 { // only what is not in the file may differ
			return keys
		}
	case reflect.Map:
		var names []string
		for _, name := range append(a.MapKeys(), b.MapKeys()...) {
			names = append(names, name.String())
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			one, two := a.MapIndex(reflect.ValueOf(name)), b.MapIndex(reflect.ValueOf(name))
			if !one.IsValid() || !two.IsValid() {
				keys = append(keys, join(path, name))
				continue
			}
			keys = append(keys, differing(join(path, name), one, two)...)
		}
		return keys
	default:
	}
	return []string{path}
}
