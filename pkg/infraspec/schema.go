package infraspec

import _ "embed"

// Schema is the JSON Schema (draft 7) of an infraspec, generated from the types of this package.
//
//go:embed schema.json
var Schema []byte
