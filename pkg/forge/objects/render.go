package objects

import (
	"bytes"
	"fmt"
	"strings"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/yaml"

	"norn/pkg/infraspec"
)

// Object is an object that norn applies, with an optional comment.
type Object struct {
	Apply any    // apply configuration
	Note  string // one-line comment, or ""
}

// All returns the objects of an app before its first deploy, in the order in which norn applies them. The Secret comes
// last, with placeholders for the values that the deploy writes.
func All(spec *infraspec.Spec, s Settings) ([]Object, error) {
	start := BeforeFirstDeploy(spec.App)
	if s.Image != "" {
		start = &Start{Image: s.Image}
	}
	var out []Object
	for _, claim := range Claims(spec, s) {
		out = append(out, Object{Apply: claim})
	}
	for _, w := range spec.Workloads() {
		made, err := ofWorkload(w, s, start)
		if err != nil {
			return nil, err
		}
		out = append(out, made...)
	}
	if len(spec.Secrets) > 0 {
		const note = "norn deploy writes the real values from secrets.enc.yaml; these are placeholders"
		out = append(out, Object{placeholders(spec, s), note})
	}
	return out, nil
}

// ofWorkload returns the objects of one workload.
func ofWorkload(spec *infraspec.Spec, s Settings, start *Start) ([]Object, error) {
	var out []Object
	switch spec.Role {
	case infraspec.Webserver, infraspec.Worker:
		d, err := Deployment(spec, s, start)
		if err != nil {
			return nil, err
		}
		out = append(out, Object{d, beforeDeploy("paused", start)})
	case infraspec.Cron:
		c, err := CronJob(spec, s, start)
		if err != nil {
			return nil, err
		}
		out = append(out, Object{c, beforeDeploy("suspended", start)})
	case infraspec.Function: // has no running pods between calls
	}
	if svc := Service(spec, s); svc != nil {
		out = append(out, Object{svc, tunnelNote(spec, s)})
	}
	if route := Route(spec, s); route != nil {
		out = append(out, Object{Apply: route})
	}
	if budget := DisruptionBudget(spec, s, false); budget != nil {
		out = append(out, Object{Apply: budget})
	}
	return out, nil
}

func beforeDeploy(state string, start *Start) string {
	if !start.Paused {
		return ""
	}
	return state + " until the first norn deploy, which sets the image"
}

func tunnelNote(spec *infraspec.Spec, s Settings) string {
	hosts := spec.Hosts.External
	if len(hosts) == 0 || spec.Route.IsSet() {
		return ""
	}
	rules, lead := "rule", "leads"
	if len(hosts) > 1 {
		rules, lead = "rules", "lead"
	}
	return fmt.Sprintf("the tunnel's %s for %s %s to %s",
		rules, strings.Join(hosts, ", "), lead, ServiceURL(spec, s.Namespace))
}

// Placeholder replaces a secret value in output.
const Placeholder = "[secret]"

func placeholders(spec *infraspec.Spec, s Settings) *applycore.SecretApplyConfiguration {
	values := map[string]string{}
	for _, name := range spec.Secrets {
		values[name] = Placeholder
	}
	return applycore.Secret(SecretName(spec.App), s.Namespace).WithLabels(Labels(spec)).WithStringData(values)
}

// Manifests returns objects as a stream of YAML documents. The same objects always yield the same bytes.
func Manifests(objects []Object) ([]byte, error) {
	var out bytes.Buffer
	for _, o := range objects {
		data, err := yaml.Marshal(o.Apply)
		if err != nil {
			return nil, fmt.Errorf("write the manifest: %w", err)
		}
		out.WriteString("---\n")
		if o.Note != "" {
			out.WriteString("# " + o.Note + "\n")
		}
		out.Write(data)
	}
	return out.Bytes(), nil
}
