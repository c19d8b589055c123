// Command schemagen generates pkg/infraspec/schema.json and docs/infraspec.md from the types of package infraspec: from
// their tags and comments. Run it with go generate ./pkg/infraspec.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := generate("."); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// The generated files, relative to the folder of package infraspec.
const (
	schemaFile = "schema.json"
	pageFile   = "../../docs/infraspec.md"
)

// generate writes both files; dir is the folder of package infraspec.
func generate(dir string) error {
	files, err := render(dir)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(dir+"/"+name, text, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// render returns the contents of the files, by name.
func render(dir string) (map[string][]byte, error) {
	root, err := schema(dir)
	if err != nil {
		return nil, err
	}
	text, err := indented(root)
	if err != nil {
		return nil, err
	}
	rules, err := rules(dir)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{schemaFile: text, pageFile: page(root, rules)}, nil
}
