package infraspec

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"gopkg.in/yaml.v3"

	"norn/internal/regularfile"
)

// maxOverlay is far above the size of any overlay, in bytes.
const maxOverlay = 256 << 10

// OverlayFile is the file that the key overlay names. It is beside the infraspec, in the version that the infraspec
// comes from.
type OverlayFile struct {
	doc   *document
	nodes []*yaml.Node
	found []Finding
}

// OverlayFile returns the file that overlay names, or nil if the infraspec has none or the file cannot be read.
func (s *Spec) OverlayFile() *OverlayFile { return s.overlay }

// isInside reports whether path stays in the folder that it is relative to.
func isInside(path string) bool { return filepath.IsLocal(filepath.FromSlash(path)) }

// readOverlay reads the file that overlay names in folder, and returns a finding if that fails. It does not follow
// links out of the folder: the folder may be a clone of somebody else's repository.
func (s *Spec) readOverlay(folder string) []Finding {
	if s.Overlay == "" || !isInside(s.Overlay) {
		return nil
	}
	data, err := regularfile.ReadInside(folder, filepath.FromSlash(s.Overlay), maxOverlay)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{s.overlayFinding("file %s does not exist in the folder of this file", quoted(s.Overlay))}
	}
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return []Finding{s.overlayFinding("cannot read %s: %v", quoted(s.Overlay), err)}
	}
	s.overlay = newOverlayFile(filepath.Join(filepath.Dir(s.Path()), filepath.FromSlash(s.Overlay)), data)
	return nil
}

// newOverlayFile parses an overlay. All objects that norn makes of the infraspec share the result.
func newOverlayFile(path string, data []byte) *OverlayFile {
	data = bytes.TrimPrefix(data, []byte(byteOrderMark))
	o := &OverlayFile{doc: &document{file: path, lines: lineBreak.Split(string(data), -1)}}
	d := &decoder{document: o.doc}
	if !d.readable(data) {
		o.found = d.findings
		return o
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return o
		}
		if err != nil {
			d.syntaxError(data, err)
			o.nodes, o.found = nil, d.findings
			return o
		}
		if root := resolved(doc.Content[0]); root.Tag != "!!null" {
			o.nodes = append(o.nodes, root)
		}
	}
}

// Documents returns the YAML documents of the file that are not empty, or findings. The caller must not change the
// documents.
func (o *OverlayFile) Documents() ([]*yaml.Node, []Finding) { return o.nodes, slices.Clone(o.found) }

// Finding returns a finding about a node of the file. It has no excerpt, because any value may be a secret.
func (o *OverlayFile) Finding(at *yaml.Node, sev Severity, rule Rule, message string) Finding {
	return o.doc.finding(at, sev, rule, message)
}
