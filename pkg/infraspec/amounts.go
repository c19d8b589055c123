package infraspec

import (
	"reflect"
	"regexp"
	"strconv"
	"time"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/api/resource"
)

// This file decodes values with a syntax of their own: commands, durations and amounts.

func (d *decoder) command(n *yaml.Node, path string, c *Command) {
	if n.Kind == yaml.ScalarNode {
		if n.Value != "" {
			*c = Command{"/bin/sh", "-c", n.Value}
		}
		return
	}
	var args []string
	d.sliceValue(n, path, reflect.ValueOf(&args).Elem())
	*c = args
}

func (d *decoder) seconds(n *yaml.Node, path string, s *Seconds) {
	var ok bool
	if *s, ok = parseSeconds(n.Value); !ok || n.Kind != yaml.ScalarNode {
		d.add(n, Error, RuleDuration, "%s must be a number of whole seconds or a duration such as 30s or 5m, not %s",
			path, describe(n, path))
	}
}

// parseSeconds parses whole seconds or a Go duration. Kubernetes counts in seconds, so ok is false for fractions.
func parseSeconds(text string) (s Seconds, ok bool) {
	if secs, err := strconv.ParseInt(text, 10, 32); err == nil {
		return Seconds(time.Duration(secs) * time.Second), secs > 0
	}
	dur, err := time.ParseDuration(text)
	return Seconds(dur), err == nil && dur > 0 && dur%time.Second == 0
}

func (d *decoder) quantity(n *yaml.Node, path string, q *Quantity) {
	if amount, err := resource.ParseQuantity(n.Value); err != nil || amount.Sign() < 0 || n.Kind != yaml.ScalarNode {
		d.add(n, Error, RuleQuantity, "%s: %s is not a quantity such as 250m, 2 or 128Mi", path, describe(n, path))
		return
	}
	*q = Quantity(n.Value)
}

// dockerMemory matches the values of docker run --memory.
var dockerMemory = regexp.MustCompile(`^[1-9][0-9]*[bkmgBKMG]?$`)

func (d *decoder) memory(n *yaml.Node, path string, m *Memory) {
	amount, err := resource.ParseQuantity(n.Value)
	if n.Kind != yaml.ScalarNode || !dockerMemory.MatchString(n.Value) && (err != nil || amount.Sign() <= 0) {
		d.add(n, Error, RuleQuantity, "%s: %s is not an amount of memory such as 256m or 256Mi", path, describe(n, path))
		return
	}
	*m = Memory(n.Value)
}
