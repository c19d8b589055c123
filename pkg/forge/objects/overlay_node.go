package objects

import (
	"strings"

	"gopkg.in/yaml.v3"

	"norn/pkg/infraspec"
)

// nodeFields are the fields that give a Pod control of its node, if they are true.
var nodeFields = []string{"hostPID", "hostIPC", "privileged"}

// checkNode reports what gives the app control of its node: the rules for hostPath are those of the infraspec.
func (r *overlayReader) checkNode(key, value *yaml.Node, path string) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	path = index.ReplaceAllString(path, "")
	switch {
	case strings.HasSuffix(path, ".hostPath.path") && value.Kind == yaml.ScalarNode:
		if severity, problem := infraspec.HostPathProblem(value.Value, r.hostPaths); problem != "" {
			r.add(value, severity, infraspec.RuleHostPath, "%s", problem)
		}
	case value.Value == "true":
		for _, name := range nodeFields {
			if key.Value == name {
				r.add(key, infraspec.Warning, infraspec.RuleOverlay, "%s gives the app control of its node", name)
			}
		}
	}
}
