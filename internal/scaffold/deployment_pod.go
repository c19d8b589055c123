package scaffold

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/metadata"
)

// defaultGracePeriod is Kubernetes' and norn's time for a container to end, in seconds.
const defaultGracePeriod = 30

func (d *deployed) gracePeriod() string {
	if t := d.pod.TerminationGracePeriodSeconds; t != nil && *t > 0 && *t != defaultGracePeriod {
		return wholeSeconds(int(*t))
	}
	return ""
}

// podSettings returns the key pod.
func (d *deployed) podSettings() *yaml.Node {
	var pullSecrets []string
	for _, s := range d.pod.ImagePullSecrets {
		pullSecrets = append(pullSecrets, s.Name)
	}
	account := d.pod.ServiceAccountName
	if account == "default" {
		account = ""
	}
	template := d.Deployment.Spec.Template
	tolerations := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, t := range d.pod.Tolerations {
		one := mapping("key", optionalText(t.Key), "operator", optionalText(string(t.Operator)),
			"value", optionalText(t.Value), "effect", optionalText(string(t.Effect)))
		if t.TolerationSeconds != nil {
			set(one, "tolerationSeconds", number(int(*t.TolerationSeconds)))
		}
		tolerations.Content = append(tolerations.Content, one)
	}
	return mapping(
		"serviceAccount", optionalText(account), "pullSecrets", listOf(pullSecrets),
		"nodeSelector", mappingOf(sortedPairs(d.pod.NodeSelector)), "tolerations", tolerations,
		"annotations", mappingOf(d.metadata("annotations", template.Annotations)),
		"labels", mappingOf(d.metadata("labels", template.Labels)),
	)
}

// metadata returns the labels or annotations of the Pods that norn and controllers do not set themselves.
func (d *deployed) metadata(kind string, all map[string]string) []pair {
	selector := map[string]string{}
	if s := d.Deployment.Spec.Selector; s != nil {
		selector = s.MatchLabels
	}
	return slices.DeleteFunc(sortedPairs(all), func(p pair) bool {
		_, selects := selector[p.name]
		domain, _, _ := strings.Cut(p.name, "/")
		own := []string{"app", "managed-by", appsv1.DefaultDeploymentUniqueLabelKey}
		switch {
		case kind == "labels" && selects, slices.Contains(own, p.name), metadata.IsRestartAnnotation(p.name),
			domain == "norn", domain == "app.kubernetes.io", domain == "helm.sh":
			return true
		case secretVariable(p.name, p.value):
			d.note(nil, "pod."+kind+"."+p.name, "the value may be secret, and is left out")
			return true
		}
		return false
	})
}

func sortedPairs(all map[string]string) []pair {
	var pairs []pair
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, pair{name, all[name]})
	}
	return pairs
}

// rest names the settings that have no counterpart.
func (d *deployed) rest() {
	d.unknown(d.Deployment.Spec, map[string]string{
		"replicas": "", "selector": "", "template": "", "revisionHistoryLimit": "", "strategy": "",
		"progressDeadlineSeconds": "",
		"paused":                  "norn deploy resumes it",
	})
	claims := slices.ContainsFunc(d.volumes, func(v volume) bool { return v.hostPath == "" })
	if d.Deployment.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType && !claims {
		d.note(nil, "strategy", "norn ends all Pods before it starts new ones only if a volume needs it")
	}
	pod := d.pod
	pod.DeprecatedServiceAccount = ""
	if pod.DNSPolicy == corev1.DNSClusterFirst {
		pod.DNSPolicy = ""
	}
	if pod.SchedulerName == corev1.DefaultSchedulerName {
		pod.SchedulerName = ""
	}
	d.unknown(pod, map[string]string{
		"containers": "", "volumes": "", "restartPolicy": "", "terminationGracePeriodSeconds": "",
		"serviceAccountName": "", "imagePullSecrets": "", "nodeSelector": "", "tolerations": "", "enableServiceLinks": "",
		"initContainers": "norn runs one container; use migrations.command for a migration, or an overlay",
		"affinity":       "use pod.nodeSelector, or an overlay",
		"topologySpreadConstraints": "norn spreads the Pods of an app with a Service over the nodes; set others in an " +
			"overlay",
		"securityContext": "use pod.security, or an overlay",
	})
	d.unknown(d.own, map[string]string{
		"name": "", "image": "", "imagePullPolicy": "", "command": "", "args": "", "ports": "", "env": "", "envFrom": "",
		"resources": "", "volumeMounts": "", "livenessProbe": "", "readinessProbe": "", "startupProbe": "",
		"terminationMessagePath": "", "terminationMessagePolicy": "",
		"securityContext": "use pod.security, or an overlay",
		"lifecycle":       "norn's drain keeps Pods answering before they end; set other hooks in an overlay",
	})
	if d.own.Name == d.app && infraspec.ValidName(d.app) {
		d.note(nil, "", "norn forge --adopt takes over the objects that exist; see first what norn diff --adopt shows")
	}
}

// unknown notes the keys of an object that why does not have, and those with a reason in why.
func (d *deployed) unknown(object any, why map[string]string) {
	data, err := json.Marshal(object)
	keys := map[string]any{}
	if err == nil {
		err = json.Unmarshal(data, &keys)
	}
	if err != nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		reason, known := why[key]
		if empty, isMap := keys[key].(map[string]any); isMap && len(empty) == 0 {
			continue
		}
		switch {
		case !known:
			d.note(nil, key, "norn has no such setting; set it in an overlay")
		case reason != "":
			d.note(nil, key, "%s", reason)
		}
	}
}
