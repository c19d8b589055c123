package infraspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"

	"gopkg.in/yaml.v3"
)

// FileName is the name an infraspec has in its app's folder.
const FileName = "infraspec.yaml"

// maxSize is far more than any infraspec has; what is larger is something else.
const maxSize = 1 << 20

// Load reads and parses the file at path; see Parse. A file that cannot be read is a finding too.
func Load(path string) (*Spec, []Finding, error) { return verdict(Inspect(path)) }

// Inspect reads the file at path for its findings; a file that cannot be read is one too. Unlike Load's, its Spec is there also where they
// have errors, with what could be read, for further findings about it.
func Inspect(path string) (*Spec, []Finding) {
	data, err := read(path)
	if err != nil {
		reason := err
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			reason = p.Err // the path is the finding's own
		}
		spec := &Spec{doc: &document{file: path, lines: []string{""}}}
		return spec, []Finding{{File: path, Severity: Error, Rule: RuleUnreadable, Message: printable(fmt.Sprintf("it cannot be read: %v", reason))}}
	}
	return inspect(path, data)
}

func read(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // to open a pipe would wait for its writer
		return nil, fmt.Errorf("read the infraspec: %w", &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not a file")})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the infraspec: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read the infraspec: %w", err)
	}
	return data, nil
}

// lineBreak is what yaml.v3 counts as the end of a line (YAML 1.1, 4.2).
var lineBreak = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// byteOrderMark may stand before UTF-8 text; it takes up no column.
const byteOrderMark = "\uFEFF"

// Parse decodes and checks data; file is the name that findings carry. It returns the spec with its warnings and notes, or
// Errors with every finding. All findings are in the order of their places.
func Parse(file string, data []byte) (*Spec, []Finding, error) {
	return verdict(inspect(file, data))
}

// verdict gives no spec where there are errors.
func verdict(spec *Spec, found []Finding) (*Spec, []Finding, error) {
	if HasErrors(found) {
		return nil, nil, Errors(found)
	}
	return spec, found, nil
}

func inspect(file string, data []byte) (*Spec, []Finding) {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	doc := &document{file: file, lines: lineBreak.Split(string(data), -1), places: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{}}
	d := &decoder{document: doc}
	spec := &Spec{doc: doc}
	if root, ok := d.root(data); ok {
		doc.masker = newMasker(root)
		d.decode(root, spec)
		d.check(spec)
	}
	found := bounded(Sort(d.findings))
	doc.excerpts(found)
	return spec, found
}

// root parses data as exactly one YAML document that is a mapping.
func (d *decoder) root(data []byte) (*yaml.Node, bool) {
	if !d.readable(data) {
		return nil, false
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		d.add(nil, Error, RuleUnreadable, "the file is empty; it needs at least app and role")
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
			d.add(&next, Error, RuleDocuments, "a second YAML document begins here; an infraspec is one document")
		}
		return nil, false
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode { // not shown: it may be any file, a key's even
		f := d.finding(root, Error, RuleUnreadable, "an infraspec is a mapping of keys to values, and this is none")
		f.noExcerpt = true
		d.findings = append(d.findings, f)
		return nil, false
	}
	return root, true
}
