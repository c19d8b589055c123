package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// ParseLabel reads NODE:KEY=VALUE.
func ParseLabel(text string) (node, key, value string, err error) {
	node, label, ok := strings.Cut(text, ":")
	key, value, hasValue := strings.Cut(label, "=")
	if !ok || node == "" || key == "" || !hasValue {
		return "", "", "", fmt.Errorf("invalid --label %q: write NODE:KEY=VALUE, as in node-2:disk=ssd", text)
	}
	return node, key, value, nil
}

// effects are what a taint may do (Kubernetes: Taints and Tolerations).
var effects = []string{"NoSchedule", "PreferNoSchedule", "NoExecute"}

// ParseTaint reads NODE:KEY=VALUE:EFFECT, the value of which may be left out, and returns KEY=VALUE:EFFECT.
func ParseTaint(text string) (node, taint string, err error) {
	node, taint, ok := strings.Cut(text, ":")
	key, _, effect := cutTaint(taint)
	if !ok || node == "" || key == "" || !slices.Contains(effects, effect) {
		return "", "", fmt.Errorf("invalid --taint %q: write NODE:KEY=VALUE:EFFECT, with an effect of %s", text, strings.Join(effects, ", "))
	}
	return node, taint, nil
}

func cutTaint(text string) (key, value, effect string) {
	key, effect, _ = strings.Cut(text, ":")
	key, value, _ = strings.Cut(key, "=")
	return key, value, effect
}
