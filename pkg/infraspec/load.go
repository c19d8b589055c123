package infraspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

// FileName is the name an infraspec has in its app's folder.
const FileName = "infraspec.yaml"

// Load reads and parses the file at path; see Parse.
func Load(path string) (*Spec, []Finding, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read the infraspec: %w", err)
	}
	return Parse(path, data)
}

// lineBreak is what yaml.v3 counts as the end of a line (YAML 1.1, 4.2).
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// Parse decodes and checks data; file is the name that findings carry.
// It returns the spec with its warnings, or Errors with every finding.
func Parse(file string, data []byte) (*Spec, []Finding, error) {
	d := &decoder{file: file, lines: lineBreak.Split(string(data), -1), places: map[string]*yaml.Node{}}
	root, ok := d.document(data)
	spec := defaults()
	if ok {
		d.decodeSpec(root, spec)
		d.checkRules(spec)
	}
	found := sortFindings(d.findings)
	if hasErrors(found) {
		return nil, nil, Errors(found)
	}
	spec.path = file
	return spec, found, nil
}

// document parses data as exactly one YAML document that is a mapping.
func (d *decoder) document(data []byte) (*yaml.Node, bool) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.add(nil, Error, "the file is empty; it needs at least app and role")
		return nil, false
	case err != nil:
		d.syntaxError(err)
		return nil, false
	}
	var next yaml.Node
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			d.syntaxError(err)
		} else {
			d.add(&next, Error, "a second YAML document begins here; an infraspec is one document")
		}
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode { // not quoted: it may be any file, a key's even
		d.add(root, Error, "an infraspec is a mapping of keys to values, and this is none")
		return nil, false
	}
	return root, true
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxError turns yaml.v3's "yaml: line N: …" into a finding at that line.
func (d *decoder) syntaxError(err error) {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		d.add(nil, Error, "%v", err)
		return
	}
	var at *yaml.Node
	if line, convErr := strconv.Atoi(m[1]); convErr == nil {
		at = &yaml.Node{Line: line, Column: 1}
	}
	d.add(at, Error, "not valid YAML: %s", m[2])
}
