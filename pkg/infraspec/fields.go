package infraspec

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// field holds what the struct tags of a Spec say about one key.
type field struct {
	name     string
	index    int
	required bool
	fallback string
	least    int // least and most are the range; both are 0 if the key has none
	most     int
	choices  []string
}

// fieldsOf reads the tags of a struct type. schema.json is generated from the same jsonschema tags, so the schema and
// the decoder agree.
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
		panic(fmt.Sprintf("invalid number %q in a struct tag of infraspec", text)) // any test that loads a file finds it
	}
	return n
}

// fillDefaults sets the defaults from the tags. Structs behind pointers stay nil.
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
	case *Delay:
		seconds, _ := parseSeconds(text)
		*p = Delay(seconds)
	case *bool:
		*p = text == "true"
	case *int:
		*p = number(text)
	default:
		v.SetString(text)
	}
}
