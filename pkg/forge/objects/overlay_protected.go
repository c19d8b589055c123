package objects

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// protectedField is a field that an overlay cannot set, because norn relies on it.
type protectedField struct {
	kind string // "" for each
	path string // without the indices of lists
	why  string
}

var protectedFields = []protectedField{
	{KindDeployment, "spec.selector", "norn sets it"},
	{KindDeployment, "spec.paused", "norn pauses a Deployment during a deploy"},
	{KindDeployment, "spec.replicas", "set replicas in the infraspec"},
	{KindDeployment, "spec.revisionHistoryLimit", "set artifacts.retain in the infraspec"},
	{KindCronJob, "spec.suspend", "norn suspends a CronJob until its first deploy"},
	{KindCronJob, "spec.schedule", "set schedule in the infraspec"},
	{KindCronJob, "spec.timeZone", "set timezone in the infraspec"},
	{KindCronJob, "spec.jobTemplate.spec.selector", "Kubernetes sets it"},
	{KindCronJob, "spec.jobTemplate.spec.manualSelector", "Kubernetes sets the selector"},
	{KindCronJob, "spec.jobTemplate.spec.suspend", "a suspended run never starts"},
	{KindService, "spec.selector", "norn sets it"},
	{"", "status", "the cluster sets it"},
}

// podFields are the fields of a Pod that an overlay cannot set.
var podFields = map[string]string{
	"restartPolicy": "norn sets it", "activeDeadlineSeconds": "set timeout in the infraspec",
	"nodeName":            "the scheduler sets it; set nodeSelector or affinity",
	"ephemeralContainers": "Kubernetes allows them only in running Pods",
}

// index matches the index of a list's item in a path.
var index = regexp.MustCompile(`\[\d+\]`)

// protected returns why an overlay cannot set the field at a path, or "".
func (r *overlayReader) protected(path string) string {
	path = index.ReplaceAllString(path, "")
	i := slices.IndexFunc(protectedFields, func(f protectedField) bool {
		return f.path == path && (f.kind == "" || f.kind == r.name)
	})
	if i >= 0 {
		return protectedFields[i].why
	}
	if name, ok := strings.CutPrefix(path, "metadata."); ok && !isMetadata(path) && !strings.Contains(name, ".") {
		return "norn sets it; an overlay can set labels and annotations"
	}
	for _, prefix := range []string{"spec.template.", "spec.jobTemplate.", "spec.jobTemplate.spec.template."} {
		if name, ok := strings.CutPrefix(path, prefix+"metadata."); ok && name != "labels" && name != "annotations" &&
			!strings.Contains(name, ".") {
			return "an overlay can set labels and annotations"
		}
	}
	if r.name == kindJob {
		name, ok := strings.CutPrefix(path, "spec.")
		if ok && !strings.Contains(name, ".") && name != "template" {
			return "norn sets it; an overlay of a Job can set only its template"
		}
	}
	if name, ok := strings.CutPrefix(path, r.podPath()+"."); ok {
		return podFields[name]
	}
	return ""
}

// podPath returns the path of the Pod's spec in a document.
func (r *overlayReader) podPath() string {
	switch r.name {
	case kindPod:
		return "spec"
	case KindCronJob:
		return "spec.jobTemplate.spec.template.spec"
	case KindService:
		return "none"
	}
	return "spec.template.spec"
}

// checkItem checks an item of a list: what it changes in the app's container, and the name of a Service's port.
func (r *overlayReader) checkItem(item *yaml.Node, list, path string) {
	if item.Kind != yaml.MappingNode {
		return
	}
	if list == "spec.ports" && r.name == KindService {
		r.checkPort(item, path)
	}
	name := field(item, "name")
	if name == nil || name.Value != r.spec.App || list != r.podPath()+".containers" {
		return
	}
	for _, f := range [][2]string{
		{"image", "norn deploy sets the image of the app's container"},
		{"imagePullPolicy", "norn sets it for the image"},
		{"command", "set command in the infraspec"}, {"args", "set command in the infraspec"},
	} {
		for i := 0; i+1 < len(item.Content); i += 2 {
			if key := item.Content[i]; key.Value == f[0] {
				r.add(key, infraspec.Error, infraspec.RuleOverlay, "an overlay cannot set %s.%s: %s", path, f[0], f[1])
			}
		}
	}
	r.checkEnv(field(item, "env"), path)
}

// checkEnv checks that the app's variables stay those of the infraspec.
func (r *overlayReader) checkEnv(env *yaml.Node, path string) {
	if env == nil || env.Kind != yaml.SequenceNode {
		return
	}
	for _, item := range env.Content {
		name := field(item, "name")
		if name == nil {
			continue
		}
		_, plain := r.spec.Env[name.Value]
		generated := name.Value == infraspec.DatabaseURL && databaseAddress(r.spec, Settings{}) != ""
		if plain || generated || slices.Contains(r.spec.SecretVariables(), name.Value) {
			r.add(name, infraspec.Error, infraspec.RuleOverlay,
				"an overlay cannot set this variable of %s: the infraspec sets it", path)
		}
	}
}

// checkPort checks a port that an overlay adds to the Service. Kubernetes requires names of several ports.
func (r *overlayReader) checkPort(item *yaml.Node, path string) {
	port := field(item, "port")
	switch {
	case port == nil:
	case port.Value == "80" && (field(item, "name") != nil || field(item, "targetPort") != nil):
		r.add(item, infraspec.Error, infraspec.RuleOverlay, "an overlay cannot set %s: port 80 is norn's", path)
	case port.Value != "80" && field(item, "name") == nil:
		r.add(item, infraspec.Error, infraspec.RuleRequired, "%s.name is missing; a Service with several ports needs names",
			path)
	}
}
