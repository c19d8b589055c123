package status

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/forge/tunnel"
	"norn/pkg/k8s"
)

// secrets lists names, never values: the declared secrets, then the others in the cluster.
func (d *detail) secrets(ctx context.Context) {
	var declared []string
	if d.local.Spec != nil {
		declared = d.local.Spec.Secrets
	}
	keys := map[string]bool{}
	known := d.cluster != nil
	if known {
		live, err := d.cluster.GetSecret(ctx, d.settings.Namespace, objects.SecretName(d.Name))
		switch {
		case k8s.IsNotFound(err):
		case err != nil:
			known = false
			d.unread(err)
		default:
			for k := range live.Data {
				keys[k] = true
			}
		}
	}
	for _, name := range declared {
		s := Secret{Name: name, Declared: true}
		if exists := keys[name]; known {
			s.Cluster = &exists
		}
		delete(keys, name)
		d.Secrets = append(d.Secrets, s)
	}
	d.references(ctx)
	yes := true
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		d.Secrets = append(d.Secrets, Secret{Name: name, Cluster: &yes})
	}
}

// references lists the secrets whose values are in Secrets that norn does not manage.
func (d *detail) references(ctx context.Context) {
	if d.local.Spec == nil {
		return
	}
	live := map[string]*corev1.Secret{}
	failed := map[string]bool{}
	for _, ref := range d.local.Spec.References() {
		if live[ref.Secret] == nil && !failed[ref.Secret] && d.cluster != nil {
			s, err := d.cluster.GetSecret(ctx, d.settings.Namespace, ref.Secret)
			if k8s.IsNotFound(err) {
				s, err = &corev1.Secret{}, nil
			}
			if err != nil {
				d.unread(err)
			}
			live[ref.Secret], failed[ref.Secret] = s, err != nil
		}
		one := Secret{Name: ref.Name, Declared: true, From: ref.Secret + "/" + ref.Key}
		if s := live[ref.Secret]; s != nil && !failed[ref.Secret] {
			_, exists := s.Data[ref.Key]
			one.Cluster = &exists
		}
		d.Secrets = append(d.Secrets, one)
	}
}

// volumes lists the declared volumes, then the app's other claims in the cluster.
func (d *detail) volumes() {
	claims := map[string]corev1.PersistentVolumeClaim{}
	if d.inventory != nil {
		for _, c := range d.inventory.Claims {
			claims[c.Name] = c
		}
	}
	if d.local.Spec != nil {
		for _, v := range d.local.Spec.Volumes {
			if v.HostPath != "" {
				d.Volumes = append(d.Volumes, Volume{Name: v.Name, Mount: v.MountPath, Host: v.HostPath, State: "host"})
				continue
			}
			name := objects.ClaimName(d.Name, v.Name)
			out := Volume{Name: v.Name, Mount: v.MountPath, Size: string(v.Size), State: "unknown"}
			if c, ok := claims[name]; ok {
				out.State, out.Size = claimState(&c), c.Spec.Resources.Requests.Storage().String()
				delete(claims, name)
			} else if d.inventory != nil {
				out.State = "missing"
			}
			d.Volumes = append(d.Volumes, out)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) { // claims that the infraspec does not declare
		c := claims[name]
		size := c.Spec.Resources.Requests.Storage().String()
		d.Volumes = append(d.Volumes, Volume{Name: name, Size: size, State: claimState(&c)})
	}
}

// claimState returns a claim's phase, or Terminating if it is being deleted, which its phase does not show.
func claimState(c *corev1.PersistentVolumeClaim) string {
	if c.DeletionTimestamp != nil {
		return "Terminating"
	}
	return string(c.Status.Phase)
}

// tunnel finds the tunnel's rules for the app's public hosts.
func (d *detail) tunnel(ctx context.Context) {
	if d.cluster == nil || d.local.Spec == nil || len(d.local.Spec.Hosts.External) == 0 || d.local.Spec.Route.IsSet() {
		return
	}
	live, err := d.cluster.GetConfigMap(ctx, tunnel.Namespace, tunnel.ConfigMap)
	if k8s.IsNotFound(err) {
		d.Tunnel = fmt.Sprintf("none: ConfigMap %s does not exist in namespace %s", tunnel.ConfigMap, tunnel.Namespace)
		return
	}
	if err != nil {
		d.unread(err)
		return
	}
	var found []string
	for _, host := range d.local.Spec.Hosts.External {
		service, err := tunnel.Route(live.Data[tunnel.ConfigKey], host)
		switch {
		case err != nil:
			d.unread(err)
			return
		case service == "":
			found = append(found, "no rule for "+host)
		default:
			found = append(found, host+" leads to "+service)
		}
	}
	d.Tunnel = strings.Join(found, "; ")
}
