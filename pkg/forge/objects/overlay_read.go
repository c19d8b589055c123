package objects

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
)

const (
	kindPod = "Pod"
	kindJob = "Job"
)

// overlayKind is a kind of document that an overlay can have.
type overlayKind struct {
	name, apiVersion string
	object           reflect.Type
	// used says why the document has no effect for an infraspec, or "".
	unused func(*infraspec.Spec) string
}

func overlayKinds() []overlayKind {
	unlessRole := func(want string, has func(infraspec.Role) bool) func(*infraspec.Spec) string {
		return func(s *infraspec.Spec) string {
			if has(s.Role) {
				return ""
			}
			return fmt.Sprintf("a %s has no %s", s.Role, want)
		}
	}
	isCron := func(r infraspec.Role) bool { return r == infraspec.Cron }
	return []overlayKind{
		{kindPod, "v1", reflect.TypeFor[corev1.Pod](), func(*infraspec.Spec) string { return "" }},
		{
			KindDeployment, "apps/v1", reflect.TypeFor[appsv1.Deployment](),
			unlessRole(KindDeployment, infraspec.Role.Standing),
		},
		{KindCronJob, "batch/v1", reflect.TypeFor[batchv1.CronJob](), unlessRole(KindCronJob, isCron)},
		{kindJob, "batch/v1", reflect.TypeFor[batchv1.Job](), func(s *infraspec.Spec) string {
			if s.Role == infraspec.Function || len(s.Migrations.Command) > 0 || len(s.Verify) > 0 && s.Role.Standing() {
				return ""
			}
			return "only migrations, verify and functions have Jobs of their own; norn run copies the Pod of the app"
		}},
		{KindService, "v1", reflect.TypeFor[corev1.Service](), func(s *infraspec.Spec) string {
			if s.Hosts.Internal != "" && s.Role == infraspec.Webserver {
				return ""
			}
			return "the app has no Service; set hosts.internal of a webserver"
		}},
	}
}

// CheckOverlay returns the findings of the overlay file of an infraspec. Pods may mount the folders of nodes in
// hostPaths without a warning.
func CheckOverlay(spec *infraspec.Spec, hostPaths []string) []infraspec.Finding {
	_, found := parseOverlay(spec, hostPaths)
	return found
}

// parseOverlay returns the documents of the overlay file by kind, as JSON, and its findings. The documents are strict:
// they have only fields of Kubernetes, with values of their types, and none that norn sets.
func parseOverlay(spec *infraspec.Spec, hostPaths []string) (map[string][]byte, []infraspec.Finding) {
	file := spec.OverlayFile()
	if file == nil {
		return nil, nil
	}
	nodes, found := file.Documents()
	docs := map[string][]byte{}
	for _, n := range nodes {
		r := &overlayReader{file: file, spec: spec, hostPaths: hostPaths}
		if kind, ok := r.kind(n); ok {
			if docs[kind.name] != nil {
				r.add(n, infraspec.Error, infraspec.RuleTwice, "a second document of kind %s; put both into one", kind.name)
			}
			value := r.value(n, kind.object, "")
			data, err := json.Marshal(value)
			if err != nil {
				r.add(n, infraspec.Error, infraspec.RuleOverlay, "cannot read this document: %v", err)
			}
			docs[kind.name] = data
		}
		found = append(found, r.findings...)
	}
	return docs, infraspec.Sort(found)
}

// overlayReader reads one document of an overlay.
type overlayReader struct {
	file      *infraspec.OverlayFile
	spec      *infraspec.Spec
	hostPaths []string // folders of nodes that Pods may mount without a warning
	name      string   // the document's kind
	findings  []infraspec.Finding
	visited   int // nodes
}

func (r *overlayReader) add(at *yaml.Node, sev infraspec.Severity, rule infraspec.Rule, format string, args ...any) {
	r.findings = append(r.findings, r.file.Finding(at, sev, rule, fmt.Sprintf(format, args...)))
}

// kind returns the kind of a document.
func (r *overlayReader) kind(n *yaml.Node) (overlayKind, bool) {
	if n.Kind != yaml.MappingNode {
		r.add(n, infraspec.Error, infraspec.RuleWrongType, "an overlay consists of partial objects, each with a kind")
		return overlayKind{}, false
	}
	kinds := overlayKinds()
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	at := field(n, "kind")
	if at == nil {
		r.add(n, infraspec.Error, infraspec.RuleRequired, "kind is missing; set it to one of %s", strings.Join(names, ", "))
		return overlayKind{}, false
	}
	i := slices.Index(names, at.Value)
	if i < 0 {
		hint := ""
		if near := infraspec.Nearest(at.Value, names); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		r.add(at, infraspec.Error, infraspec.RuleChoice, "kind is not one of %s%s", strings.Join(names, ", "), hint)
		return overlayKind{}, false
	}
	if version := field(n, "apiVersion"); version != nil && version.Value != kinds[i].apiVersion {
		r.add(version, infraspec.Error, infraspec.RuleChoice, "apiVersion of a %s must be %s", names[i], kinds[i].apiVersion)
	}
	if why := kinds[i].unused(r.spec); why != "" {
		r.add(at, infraspec.Warning, infraspec.RuleIgnored, "this document has no effect: %s", why)
	}
	r.name = names[i]
	return kinds[i], true
}

// field returns the value of a key of a mapping, or nil.
func field(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
