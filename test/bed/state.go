package bed

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// stateKinds lists the collections that State reads.
var stateKinds = []string{
	"apis/apps/v1/deployments", "apis/batch/v1/cronjobs", "api/v1/services", "api/v1/persistentvolumeclaims",
	"api/v1/secrets", "apis/coordination.k8s.io/v1/leases",
}

// State returns the objects of the namespace and the tunnel configuration, without fields that differ in each run. It
// waits for pending deletions.
func (w *Workspace) State() string {
	w.T.Helper()
	var all []any
	Eventually(w.T, time.Minute, "all deletions are complete", func() bool {
		items, deleting := w.items()
		all = items
		return !deleting
	})
	if w.tunnel {
		var config struct {
			Metadata struct{ Annotations map[string]string }
			Data     map[string]string
		}
		w.decode(w.get("/api/v1/namespaces/cloudflared/configmaps/cloudflared"), &config)
		all = append(all, config)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		w.T.Fatal(err)
	}
	return strings.ReplaceAll(string(text), w.Namespace, "NAMESPACE")
}

// items returns the objects of the namespace, and reports whether any of them is being deleted.
func (w *Workspace) items() (all []any, deleting bool) {
	w.T.Helper()
	for _, kind := range stateKinds {
		var list struct{ Items []map[string]any }
		w.decode(w.List(kind), &list)
		for _, item := range list.Items {
			if meta, ok := item["metadata"].(map[string]any); ok && meta["deletionTimestamp"] != nil {
				deleting = true
			}
			delete(item, "status")
			forget(item)
			all = append(all, kind, item)
		}
	}
	return all, deleting
}

// List returns a collection of the namespace, such as apis/apps/v1/deployments, as JSON. It makes the request itself,
// which is much faster than kubectl.
func (w *Workspace) List(kind string) []byte {
	w.T.Helper()
	group, name := path.Split(kind)
	return w.get("/" + group + "namespaces/" + w.Namespace + "/" + name)
}

// get reads a path of the API.
func (w *Workspace) get(path string) []byte {
	w.T.Helper()
	data, err := w.request(http.MethodGet, path, nil)
	if err != nil {
		w.T.Fatal(err)
	}
	return data
}

func (w *Workspace) decode(data []byte, into any) {
	w.T.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		w.T.Fatalf("%v\n%s", err, data)
	}
}

// volatileFields lists fields that the server generates for each object, and times.
var volatileFields = []string{
	"uid", "resourceVersion", "generation", "creationTimestamp", "time", "clusterIP", "clusterIPs", "volumeName",
	"annotations", "deletionTimestamp", "deletionGracePeriodSeconds",
	".", // in managed fields: whether a controller or norn was the first to write an annotation
}

// forget removes the volatileFields fields, and all managed fields but norn's, because controllers write at any time.
func forget(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range volatileFields {
			delete(v, name)
		}
		if fields, ok := v["managedFields"].([]any); ok {
			var norns []any
			for _, f := range fields {
				if m, ok := f.(map[string]any); ok && strings.HasPrefix(fmt.Sprint(m["manager"]), "norn") {
					norns = append(norns, f)
				}
			}
			// The API server sorts them by their times, in seconds.
			slices.SortFunc(norns, func(a, b any) int { return cmp.Compare(managerOf(a), managerOf(b)) })
			v["managedFields"] = norns
		}
		for _, child := range v {
			forget(child)
		}
	case []any:
		for _, child := range v {
			forget(child)
		}
	}
}

// managerOf returns what identifies an entry of managedFields.
func managerOf(entry any) string {
	m, _ := entry.(map[string]any)
	return fmt.Sprint(m["manager"], m["operation"], m["subresource"])
}
