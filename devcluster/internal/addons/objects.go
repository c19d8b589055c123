package addons

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// Object is one document for a server-side apply: a PATCH of Path with the content type application/apply-patch+yaml.
// The API server answers 404 until it serves the object's definition and namespace: try again then.
type Object struct {
	Path string // without a query
	YAML []byte
}

const separator = "\n---\n"

// Split splits a text into its YAML documents and returns each with its API path.
func Split(documents []byte) ([]Object, error) {
	var out []Object
	for _, text := range strings.Split(string(documents), separator) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		path, err := apiPath([]byte(text))
		if err != nil {
			return nil, err
		}
		out = append(out, Object{path, []byte(text)})
	}
	return out, nil
}

func apiPath(document []byte) (string, error) {
	var o struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := yaml.Unmarshal(document, &o); err != nil {
		return "", fmt.Errorf("read an object: %w", err)
	}
	if o.APIVersion == "" || o.Kind == "" || o.Metadata.Name == "" {
		return "", fmt.Errorf("object %q of kind %q in %q is incomplete", o.Metadata.Name, o.Kind, o.APIVersion)
	}
	path := "/apis/" + o.APIVersion
	if !strings.Contains(o.APIVersion, "/") {
		path = "/api/" + o.APIVersion
	}
	if o.Metadata.Namespace != "" {
		path += "/namespaces/" + o.Metadata.Namespace
	}
	return path + "/" + plural(o.Kind) + "/" + o.Metadata.Name, nil
}

// plural returns the resource name of a kind, for the kinds that add-ons have.
func plural(kind string) string {
	s := strings.ToLower(kind)
	if strings.HasSuffix(s, "s") {
		return s + "es"
	}
	return s + "s"
}
