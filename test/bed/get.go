package bed

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/util/jsonpath"
)

// collection is a kind of objects in the API.
type collection struct {
	path string // such as apis/apps/v1, which precedes the namespace
	name string // such as deployments
	kind string // as kubectl get -o name prints it, such as deployment.apps
}

// collections are the kinds that tests read most, by the names that kubectl accepts.
var collections = byName([]collection{
	{"api/v1", "pods", "pod"}, {"api/v1", "services", "service"}, {"api/v1", "secrets", "secret"},
	{"api/v1", "persistentvolumeclaims", "persistentvolumeclaim"},
	{"apis/apps/v1", "deployments", "deployment.apps"}, {"apis/apps/v1", "replicasets", "replicaset.apps"},
	{"apis/batch/v1", "jobs", "job.batch"}, {"apis/coordination.k8s.io/v1", "leases", "lease.coordination.k8s.io"},
})

func byName(all []collection) map[string]collection {
	names := map[string]collection{}
	for _, c := range all {
		singular, _, _ := strings.Cut(c.kind, ".")
		names[c.name], names[singular] = c, c
	}
	names["pvc"] = names["persistentvolumeclaims"]
	return names
}

// query is a kubectl get that bed answers itself.
type query struct {
	collections []collection
	object      string // a name, or "" for all objects
	selectors   url.Values
	template    string // of jsonpath, or "" for names
	orNothing   bool   // --ignore-not-found
}

// parseQuery returns the query of kubectl get's arguments. ok is false if only kubectl can answer them.
func parseQuery(args []string) (q query, ok bool) {
	q.selectors = url.Values{}
	var words []string
	format := ""
	for i := 0; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !strings.HasPrefix(name, "-") {
			words = append(words, args[i])
			continue
		}
		if !joined && name != "--ignore-not-found" {
			if i++; i == len(args) {
				return q, false
			}
			value = args[i]
		}
		switch name {
		case "-l":
			q.selectors.Set("labelSelector", value)
		case "--field-selector":
			q.selectors.Set("fieldSelector", value)
		case "-o":
			format = value
		case "--ignore-not-found":
			q.orNothing = true
		default:
			return q, false
		}
	}
	if len(words) == 1 && strings.Contains(words[0], "/") {
		words = strings.Split(words[0], "/")
	}
	if len(words) == 0 || len(words) > 2 {
		return q, false
	}
	for kind := range strings.SplitSeq(words[0], ",") {
		c, known := collections[kind]
		if !known {
			return q, false
		}
		q.collections = append(q.collections, c)
	}
	if len(words) == 2 {
		q.object = words[1]
	}
	template, isTemplate := strings.CutPrefix(format, "jsonpath=")
	if isTemplate {
		q.template = template
	}
	single := len(q.collections) == 1
	return q, isTemplate && single && strings.Contains(template, "{") || format == "name" && q.object == ""
}

// ask answers a query as kubectl prints it.
func (w *Workspace) ask(q query) (string, error) {
	var out strings.Builder
	for _, c := range q.collections {
		path := fmt.Sprintf("/%s/namespaces/%s/%s", c.path, w.Namespace, c.name)
		if q.object != "" {
			path += "/" + q.object
		}
		data, err := w.request(http.MethodGet, path+"?"+q.selectors.Encode(), nil)
		var status *statusError
		if q.orNothing && errors.As(err, &status) && status.code == http.StatusNotFound {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		text, err := q.print(c, data)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// print formats an answer of the API.
func (q query) print(c collection, data []byte) (string, error) {
	var out bytes.Buffer
	if q.template == "" {
		var list struct { // this decoder tells lower and upper case apart
			Items []struct {
				Metadata struct {
					Name string `json:"name"`
				} `json:"metadata"`
			} `json:"items"`
		}
		if err := json.Unmarshal(data, &list); err != nil {
			return "", err
		}
		for _, item := range list.Items {
			fmt.Fprintf(&out, "%s/%s\n", c.kind, item.Metadata.Name)
		}
		return out.String(), nil
	}
	var object any
	if err := json.Unmarshal(data, &object); err != nil {
		return "", err
	}
	path := jsonpath.New("out").AllowMissingKeys(true)
	if err := path.Parse(q.template); err != nil {
		return "", err
	}
	err := path.Execute(&out, object)
	return out.String(), err
}
