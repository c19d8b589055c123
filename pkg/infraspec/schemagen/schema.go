package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"norn/pkg/infraspec"
)

// schema returns the JSON Schema of an infraspec. It uses only features of draft 7, which all editors support.
func schema(dir string) (*jsonschema.Schema, error) {
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true, ExpandedStruct: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
	}
	r.Mapper = func(t reflect.Type) *jsonschema.Schema {
		if t != reflect.TypeFor[infraspec.SecretNames]() {
			return valueType(t)
		}
		source := r.Reflect(&infraspec.SecretSource{})
		source.Version = ""
		return &jsonschema.Schema{Type: "array", Items: multi(written...), AdditionalProperties: source}
	}
	if err := r.AddGoComments("norn/pkg/infraspec", dir); err != nil {
		return nil, fmt.Errorf("read the comments: %w", err)
	}
	root := r.Reflect(&infraspec.Spec{})
	root.Version = "http://json-schema.org/draft-07/schema#"
	root.Title = "infraspec.yaml: an app that norn deploys to Kubernetes"
	root.Description = ""
	finish(root, reflect.TypeFor[infraspec.Spec]())
	whole := r.Reflect(&infraspec.Spec{})
	finish(whole, reflect.TypeFor[infraspec.Spec]())
	layEnvironments(root, whole)
	root.AllOf = roleNeeds()
	return root, nil
}

// roleNeeds returns the schemas of the keys that the roles require.
func roleNeeds() []*jsonschema.Schema {
	return []*jsonschema.Schema{needs(infraspec.Webserver, "port"), needs(infraspec.Cron, "schedule", "command")}
}

// label matches a DNS label.
const label = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"

// variable matches the name of an environment variable.
const variable = "^[A-Za-z_][A-Za-z0-9_.-]*$"

// written lists the YAML types of a value that norn reads as a string.
var written = []any{"string", "number", "boolean"}

func multi(types ...any) *jsonschema.Schema {
	return &jsonschema.Schema{Extras: map[string]any{"type": types}}
}

// valueType returns the schema of a type that does not follow from its Go kind, or nil.
func valueType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[infraspec.Command]():
		s := multi("string", "number", "boolean", "array")
		s.Items = multi(written...)
		return s
	case reflect.TypeFor[infraspec.Names]():
		s := multi("string", "number", "boolean", "array")
		s.Items = &jsonschema.Schema{Type: "string"}
		return s
	case reflect.TypeFor[infraspec.Seconds](), reflect.TypeFor[infraspec.Delay]():
		return multi("string", "integer")
	case reflect.TypeFor[infraspec.Memory]():
		return multi("string", "integer", "number")
	case reflect.TypeFor[infraspec.Quantity]():
		return multi("string", "number")
	case reflect.TypeFor[map[string]string]():
		return &jsonschema.Schema{
			Type:                 "object",
			PropertyNames:        &jsonschema.Schema{Pattern: variable},
			AdditionalProperties: multi("string", "number", "boolean", "null"),
		}
	case reflect.TypeFor[infraspec.Metadata]():
		return &jsonschema.Schema{Type: "object", AdditionalProperties: multi("string", "number", "boolean", "null")}
	case reflect.TypeFor[[]string]():
		return &jsonschema.Schema{Type: "array", Items: multi(written...)}
	}
	return nil
}

// finish completes the schema of a struct with what the reflector cannot see: defaults of types with their own syntax,
// strings written as numbers, and keys without a value.
func finish(s *jsonschema.Schema, t reflect.Type) {
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		prop, ok := s.Properties.Get(name)
		if name == "" || !ok {
			continue
		}
		ft := t.Field(i).Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		switch {
		case ft.Kind() == reflect.Struct:
			finish(prop, ft)
		case ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct:
			finish(prop.Items, ft.Elem())
		case ft.Kind() == reflect.Map && ft.Elem().Kind() == reflect.Struct:
			finishMap(prop, ft.Elem())
		}
		if prop.Default == nil {
			prop.Default = fallback(t.Field(i).Tag)
		}
		prop.Description = strings.Join(strings.Fields(prop.Description), " ")
		if ft == reflect.TypeFor[infraspec.SecretNames]() {
			finishSecrets(prop)
			continue
		}
		types(prop, slices.Contains(s.Required, name))
		if ft == reflect.TypeFor[infraspec.Healthcheck]() {
			prop.Extras["type"], prop.Pattern = []any{"string", "object", "null"}, "^(/|$)"
		}
	}
}

// finishSecrets completes the schema of the secrets: a list of names, or a mapping of names to their sources.
func finishSecrets(prop *jsonschema.Schema) {
	prop.Items.Pattern = variable
	prop.Type, prop.Extras = "", map[string]any{"type": []any{"array", "object", "null"}}
	source := prop.AdditionalProperties
	finish(source, reflect.TypeFor[infraspec.SecretSource]())
	source.Description = ""
	types(source, false)
	prop.PropertyNames = &jsonschema.Schema{Pattern: variable}
}

// finishMap completes the schema of a mapping of names to structs.
func finishMap(prop *jsonschema.Schema, t reflect.Type) {
	value := prop.AdditionalProperties
	for _, named := range prop.PatternProperties {
		value = named
	}
	finish(value, t)
	value.Description = ""
	value.AllOf = roleNeeds()
	types(value, false)
	prop.PatternProperties, prop.AdditionalProperties = nil, value
	prop.PropertyNames = &jsonschema.Schema{Pattern: label}
}

func fallback(tag reflect.StructTag) any {
	for _, rule := range strings.Split(tag.Get("jsonschema"), ",") {
		if text, ok := strings.CutPrefix(rule, "default="); ok {
			return text
		}
	}
	return nil
}

// types widens a property's type to all types that norn accepts.
func types(prop *jsonschema.Schema, required bool) {
	list, _ := prop.Extras["type"].([]any)
	switch {
	case prop.Enum != nil:
		prop.Type = ""
		if !required {
			prop.Enum = append(prop.Enum, nil)
		}
		return
	case prop.Type == "boolean": // YAML 1.1 of the original system also allows yes, no, on and off
		prop.Type, prop.Extras = "", nil
		prop.Enum = []any{true, false, "yes", "no", "on", "off", nil}
		return
	case prop.Type == "string":
		list = written
	case prop.Type != "":
		list = []any{prop.Type}
	}
	if !required {
		list = append(slices.Clone(list), "null")
	}
	prop.Type, prop.Extras = "", map[string]any{"type": list}
}

// needs returns a schema that requires keys for a role.
func needs(role infraspec.Role, keys ...string) *jsonschema.Schema {
	is := jsonschema.NewProperties()
	is.Set("role", &jsonschema.Schema{Const: string(role)})
	there := jsonschema.NewProperties()
	for _, k := range keys {
		there.Set(k, &jsonschema.Schema{Not: &jsonschema.Schema{Enum: []any{nil, "", []any{}}}})
	}
	return &jsonschema.Schema{
		If:   &jsonschema.Schema{Properties: is, Required: []string{"role"}},
		Then: &jsonschema.Schema{Required: keys, Properties: there},
	}
}

func indented(s *jsonschema.Schema) ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return nil, fmt.Errorf("write the schema: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
