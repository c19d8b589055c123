package bed

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// JSONSchema returns a definition of docs/json.schema.json for a command's JSON lines, such as norn-deploy. root is
// the root folder of norn's source.
func JSONSchema(root, definition string) (*jsonschema.Schema, error) {
	data, err := os.ReadFile(filepath.Join(root, "docs", "json.schema.json"))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("json.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("json.schema.json#/$defs/" + definition)
}

// ValidLines returns an error if text has no lines, or if a line is not a JSON value that is valid for schema.
func ValidLines(schema *jsonschema.Schema, text string) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(lines.Bytes()))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			return errors.New(lines.Text() + "\n" + err.Error())
		}
	}
	if n == 0 {
		return errors.New("no lines")
	}
	return lines.Err()
}
