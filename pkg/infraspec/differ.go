package infraspec

import (
	"reflect"
	"slices"
)

// Differing returns the keys in which two infraspecs differ, such as replicas and env.LOG_LEVEL, in the order of the
// file's documentation.
func (s *Spec) Differing(other *Spec) []string {
	return differing("", reflect.ValueOf(s).Elem(), reflect.ValueOf(other).Elem())
}

func differing(path string, a, b reflect.Value) []string {
	var keys []string
	switch {
	case reflect.DeepEqual(a.Interface(), b.Interface()):
		return nil
	case a.Kind() == reflect.Struct:
		for _, f := range fieldsOf(a.Type()) {
			keys = append(keys, differing(join(path, f.name), a.Field(f.index), b.Field(f.index))...)
		}
	case a.Kind() == reflect.Map:
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
	}
	if keys == nil {
		return []string{path}
	}
	return keys
}
