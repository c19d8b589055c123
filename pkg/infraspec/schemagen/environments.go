package main

import (
	"slices"

	"github.com/invopop/jsonschema"
)

// layEnvironments adds the keys of whole, the schema of an infraspec, to that of an environment in root. The file
// without the environment may have what an environment omits, so nothing is required there, except in the items of
// lists, which an environment replaces.
func layEnvironments(root, whole *jsonschema.Schema) {
	environments, _ := root.Properties.Get("environments")
	own := environments.AdditionalProperties
	own.AllOf = nil
	optional(whole)
	allowPlaceholders(whole)
	for p := whole.Properties.Oldest(); p != nil; p = p.Next() {
		if p.Key != "app" && p.Key != "environments" {
			own.Properties.Set(p.Key, p.Value)
		}
	}
}

// optional makes the keys of a mapping and of the mappings below it optional, and lets null remove them.
func optional(s *jsonschema.Schema) {
	s.Required, s.AllOf = nil, nil
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			optional(p.Value)
			nullable(p.Value)
		}
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Properties != nil {
		optional(s.AdditionalProperties)
		nullable(s.AdditionalProperties)
	}
}

// allowPlaceholders allows {name}, the name of a preview, in the names of Services.
func allowPlaceholders(s *jsonschema.Schema) {
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			if p.Key == "internal" {
				p.Value.Pattern = "^((([a-z]|[{]name[}])([-a-z0-9]|[{]name[}])*)?([a-z0-9]|[{]name[}]))?$"
			}
			allowPlaceholders(p.Value)
		}
	}
	if s.AdditionalProperties != nil {
		allowPlaceholders(s.AdditionalProperties)
	}
	for _, named := range s.PatternProperties {
		allowPlaceholders(named)
	}
}

// nullable allows null.
func nullable(s *jsonschema.Schema) {
	if types, ok := s.Extras["type"].([]any); ok && !slices.Contains(types, any("null")) {
		s.Extras["type"] = append(slices.Clone(types), "null")
	}
	if s.Enum != nil && !slices.Contains(s.Enum, nil) {
		s.Enum = append(s.Enum, nil)
	}
}
