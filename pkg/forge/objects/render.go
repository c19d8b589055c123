package objects

import (
	"bytes"
	"fmt"

	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/yaml"

	"norn/pkg/infraspec"
)

// Object is one object as norn sends it, an apply configuration, with what there is to say about it.
type Object struct {
	Apply any
	Note  string // one line for people, or ""
}

// All returns the objects of an app that has not been deployed yet, in the order in which they are applied. The Secret,
// which the deploy makes, comes last, with placeholders for its values.
func All(spec *infraspec.Spec, s Settings) ([]Object, error) {
	start := BeforeFirstDeploy(spec.App)
	if s.Image != "" {
		start = &Start{Image: s.Image}
	}
	var out []Object
	for _, claim := range Claims(spec, s) {
		out = append(out, Object{Apply: claim})
	}
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
	case infraspec.Function: // nothing stands between its calls
	}
	if svc := Service(spec, s); svc != nil {
		out = append(out, Object{svc, tunnelNote(spec, s)})
	}
	if len(spec.Secrets) > 0 {
		out = append(out, Object{placeholders(spec, s), "norn deploy writes the real values from secrets.enc.yaml; these are placeholders"})
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
	if spec.Hosts.External == "" {
		return ""
	}
	return fmt.Sprintf("the tunnel's rule for %s leads to http://%s.%s.svc.cluster.local:80", spec.Hosts.External, spec.Hosts.Internal, s.Namespace)
}

// Placeholder replaces a value that must not be shown.
const Placeholder = "[secret]"

func placeholders(spec *infraspec.Spec, s Settings) *applycore.SecretApplyConfiguration {
	values := map[string]string{}
	for _, name := range spec.Secrets {
		values[name] = Placeholder
	}
	return applycore.Secret(SecretName(spec.App), s.Namespace).WithLabels(Labels(spec)).WithStringData(values)
}

// Manifests are objects as a stream of YAML documents; the same objects make the same bytes.
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
