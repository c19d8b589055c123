package infraspec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field is what a Spec's struct tags say of one key.
type field struct {
	name     string
	index    int
	required bool
	fallback string
	least    int // with most, where the key has a range
	most     int
	choices  []string
}

// fieldsOf reads the tags of a struct type. The jsonschema tag is the one that schema.json is generated from, so that the
// two say the same.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		if name == "" {
			continue
		}
		f := field{name: name, index: i}
		for _, rule := range strings.Split(t.Field(i).Tag.Get("jsonschema"), ",") {
			key, value, _ := strings.Cut(rule, "=")
			switch key {
			case "required":
				f.required = true
			case "default":
				f.fallback = value
			case "minimum":
				f.least = number(value)
			case "maximum":
				f.most = number(value)
			case "enum":
				f.choices = append(f.choices, value)
			}
		}
		out = append(out, f)
	}
	return out
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(fmt.Sprintf("a struct tag of infraspec says %q for a number", text)) // found by the first test that loads a file
	}
	return n
}

// fillDefaults sets what the tags name as defaults. Structs behind pointers are left nil.
func fillDefaults(v reflect.Value) {
	for _, f := range fieldsOf(v.Type()) {
		at := v.Field(f.index)
		switch {
		case at.Kind() == reflect.Struct:
			fillDefaults(at)
		case f.fallback != "":
			setDefault(at, f.fallback)
		}
	}
}

func setDefault(v reflect.Value, text string) {
	switch p := v.Addr().Interface().(type) {
	case *Seconds:
		*p, _ = parseSeconds(text)
	case *bool:
		*p = text == "true"
	case *int:
		*p = number(text)
	default:
		v.SetString(text)
	}
}
