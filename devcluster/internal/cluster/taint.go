package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// ParseLabel parses NODE:KEY=VALUE.
func ParseLabel(text string) (node, key, value string, err error) {
	node, label, ok := strings.Cut(text, ":")
	key, value, hasValue := strings.Cut(label, "=")
	if !ok || node == "" || key == "" || !hasValue {
		return "", "", "", fmt.Errorf("invalid --label %q: want NODE:KEY=VALUE, such as node-2:disk=ssd", text)
	}
	return node, key, value, nil
}

// effects are the effects of taints (Kubernetes: Taints and Tolerations).
var effects = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}

// ParseTaint parses NODE:KEY[=VALUE]:EFFECT and returns the node and the rest.
func ParseTaint(text string) (node, taint string, err error) {
	node, taint, ok := strings.Cut(text, ":")
	key, _, effect := cutTaint(taint)
	if !ok || node == "" || key == "" || !slices.Contains(effects, effect) {
		return "", "", fmt.Errorf("invalid --taint %q: want NODE:KEY=VALUE:EFFECT with one of the effects %s",
			text, strings.Join(effects, ", "))
	}
	return node, taint, nil
}

func cutTaint(text string) (key, value, effect string) {
	key, effect, _ = strings.Cut(text, ":")
	key, value, _ = strings.Cut(key, "=")
	return key, value, effect
}
