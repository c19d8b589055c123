package secrets

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Layers are the decrypted files of a Place. A value replaces those of the same name in earlier files.
type Layers struct {
	place Place
	files []*File
}

// OpenLayers decrypts the files of a Place. Problems are a *FileError, also if none of the files exists.
func OpenLayers(ctx context.Context, p Place) (*Layers, error) { return openLayers(ctx, p, false) }

// OpenLayersLocally is like OpenLayers, but uses only the keys of this machine; see OpenLocally.
func OpenLayersLocally(ctx context.Context, p Place) (*Layers, error) {
	return openLayers(ctx, p, true)
}

func openLayers(ctx context.Context, p Place, local bool) (*Layers, error) {
	l := &Layers{place: p}
	err := p.eachFile(func(path string) error {
		f, err := open(ctx, path, local)
		if err == nil {
			l.files = append(l.files, f)
		}
		return err
	})
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close erases the keys.
func (l *Layers) Close() {
	for _, f := range l.files {
		f.Close()
	}
}

// Place returns the place of the files.
func (l *Layers) Place() Place { return l.place }

// Names returns the names of the files that exist.
func (l *Layers) Names() []string {
	var names []string
	for _, f := range l.files {
		names = append(names, filepath.Base(f.Path))
	}
	return names
}

// Each calls do with every encrypted value and its path, including the values that others replace.
func (l *Layers) Each(do func(name string, v Value)) {
	for _, f := range l.files {
		f.Each(do)
	}
}

// Values returns the values that count, by name; see File.Values.
func (l *Layers) Values() map[string]Value {
	values := map[string]Value{}
	for _, f := range l.files {
		own := f.Values()
		for _, name := range f.names() {
			delete(values, name) // a list here hides a text there
			if v, ok := own[name]; ok {
				values[name] = v
			}
		}
	}
	return values
}

// PathOf returns the path of the file whose value of a name counts. If no file has the name, it is the file that
// commands write.
func (l *Layers) PathOf(name string) string {
	for _, f := range slices.Backward(l.files) {
		if slices.Contains(f.names(), name) {
			return f.Path
		}
	}
	return l.place.Own()
}

// Pick returns the values of the declared names. If some are missing or cannot be environment variables, it returns a
// *FileError that lists them.
func (l *Layers) Pick(declared []string) (map[string]Value, error) {
	values := l.Values()
	picked := map[string]Value{}
	var missing, nested, binary []string
	for _, name := range slices.Sorted(slices.Values(declared)) {
		v, ok := values[name]
		text := v.Reveal()
		switch {
		case !ok && l.has(name):
			nested = append(nested, name)
		case !ok:
			missing = append(missing, name)
		case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
			binary = append(binary, name)
		default:
			picked[name] = v
		}
	}
	for _, p := range []struct {
		names           []string
		problem, advice string
	}{
		{
			missing, "no value for %s" + l.place.holders() + ", which the infraspec declares",
			"set it with " + l.place.SetCommand("NAME") + ", or remove the name from the infraspec",
		},
		{
			nested, "%s cannot be an environment variable: the value is a list or a mapping",
			"store it as text, such as JSON, with norn secrets set",
		},
		{
			binary, "%s cannot be an environment variable: the value is not text",
			"store it in base64 and decode it in the app",
		},
	} {
		if len(p.names) > 0 {
			advice := p.advice
			if len(p.names) == 1 {
				advice = strings.ReplaceAll(advice, " NAME", " "+p.names[0])
			}
			return nil, &FileError{
				Path: l.PathOf(p.names[0]), Problem: fmt.Sprintf(p.problem, strings.Join(p.names, ", ")), Advice: advice,
			}
		}
	}
	return picked, nil
}

func (l *Layers) has(name string) bool {
	return slices.ContainsFunc(l.files, func(f *File) bool { return slices.Contains(f.names(), name) })
}
