package infraspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"

	"gopkg.in/yaml.v3"

	"norn/internal/regularfile"
)

// FileName is the name of the infraspec in an app's folder.
const FileName = "infraspec.yaml"

// maxSize is far above the size of any infraspec, in bytes.
const maxSize = 1 << 20

// Load reads and parses the file at path; see Parse. A file that cannot be read is a finding.
func Load(path string) (*Spec, []Finding, error) { return verdict(Inspect(path)) }

// LoadAs is Load for a copy of the file. Findings and the spec's Path name it as file.
func LoadAs(file, path string) (*Spec, []Finding, error) {
	data, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	return verdict(inspectIn(filepath.Dir(path), file, data))
}

// Inspect reads the file at path and returns its findings. A file that cannot be read is a finding. Unlike Load, it
// returns a Spec even if there are errors, with everything that could be read, so that callers can check it further.
func Inspect(path string) (*Spec, []Finding) {
	data, err := read(path)
	if err != nil {
		reason := err
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			reason = p.Err // the finding already names the path
		}
		spec := &Spec{doc: &document{file: path, lines: []string{""}}}
		message := printable(fmt.Sprintf("cannot read the file: %v", reason))
		return spec, []Finding{{File: path, Severity: Error, Rule: RuleUnreadable, Message: message}}
	}
	return inspectIn(filepath.Dir(path), path, data)
}

// inspectIn is inspect for a file in folder. It also reads the overlay there.
func inspectIn(folder, file string, data []byte) (*Spec, []Finding) {
	spec, found := inspect(file, data)
	without := spec.readOverlay(folder)
	found = append(found, without...)
	for _, one := range spec.InEnvironments() {
		own := one.readOverlay(folder)
		found, one.found = append(found, OnlyIn(one.Environment, own, without)...), append(one.found, own...)
	}
	return spec, Sort(found)
}

func read(path string) ([]byte, error) {
	data, err := regularfile.Read(path, maxSize)
	if err != nil {
		return nil, fmt.Errorf("read the infraspec: %w", err)
	}
	return data, nil
}

// lineBreak matches the line ends that yaml.v3 counts (YAML 1.1, 4.2).
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// byteOrderMark may precede UTF-8 text. It does not count as a column.
const byteOrderMark = "\uFEFF"

// Parse decodes and checks data. Findings name it as file. It returns the spec with warnings and notes, or Errors with
// all findings, sorted by position.
func Parse(file string, data []byte) (*Spec, []Finding, error) {
	return verdict(inspect(file, data))
}

// verdict returns Errors instead of spec if found contains an Error.
func verdict(spec *Spec, found []Finding) (*Spec, []Finding, error) {
	if HasErrors(found) {
		return nil, nil, Errors(found)
	}
	return spec, found, nil
}

func inspect(file string, data []byte) (*Spec, []Finding) {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	doc := &document{
		file: file, lines: lineBreak.Split(string(data), -1),
		places: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{},
	}
	d := &decoder{document: doc}
	spec := &Spec{doc: doc}
	if root, ok := d.root(data); ok {
		doc.masker = newMasker(root)
		if key := ofVersion2(root); key != nil {
			d.show(key)
			d.add(key, Error, RuleUnknownKey, version2)
		} else {
			d.decode(root, spec)
			d.check(spec)
			d.checkEnvironments(root, spec)
		}
	}
	found := bounded(Sort(d.findings))
	doc.excerpts(found)
	return spec, found
}

// root parses data, which must be exactly one YAML document with a mapping at the top.
func (d *decoder) root(data []byte) (*yaml.Node, bool) {
	if !d.readable(data) {
		return nil, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.add(nil, Error, RuleUnreadable, "the file is empty; set at least app and role")
		return nil, false
	case err != nil:
		d.syntaxError(data, err)
		return nil, false
	}
	var next yaml.Node
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		if err != nil {
			d.syntaxError(data, err)
		} else {
			d.add(&next, Error, RuleDocuments, "a second YAML document begins here; an infraspec must be a single document")
		}
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode { // no excerpt: this may be any file, even a private key
		f := d.finding(root, Error, RuleUnreadable, "an infraspec must be a mapping of keys to values")
		f.noExcerpt = true
		d.findings = append(d.findings, f)
		return nil, false
	}
	return root, true
}
