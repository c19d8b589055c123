package forge

import (
	"context"
	"errors"

	"norn/pkg/forge/objects"
	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// enforceLabel is the label of a namespace with the Pod Security Standard that it enforces (kubernetes.io: Pod Security
// Admission).
const enforceLabel = "pod-security.kubernetes.io/enforce"

// usersAnnotation is the annotation of a namespace whose Pods get their users and groups from OpenShift.
const usersAnnotation = "openshift.io/sa.scc.uid-range"

// SettingsFor returns s with what the objects depend on in the cluster: whether the server can delay the end of a Pod,
// and what the namespace requires of its Pods. If the namespace does not exist, or the user cannot read it, it requires
// nothing. The cluster must have answered a Ping.
func SettingsFor(ctx context.Context, cluster *k8s.Client, s objects.Settings) (objects.Settings, error) {
	s.NoDrain = cluster.OlderThan(objects.DrainSince)
	var err error
	s.Enforced, err = enforced(ctx, cluster, s.Namespace)
	return s, err
}

func enforced(ctx context.Context, cluster *k8s.Client, ns string) (objects.Enforced, error) {
	found, err := cluster.GetNamespace(ctx, ns)
	_, denied := errors.AsType[*k8s.DeniedError](err)
	_, missing := errors.AsType[*k8s.NamespaceError](err)
	switch {
	case denied || missing || k8s.IsNotFound(err):
		return objects.Enforced{}, nil
	case err != nil:
		return objects.Enforced{}, err
	}
	_, assigns := found.Annotations[usersAnnotation]
	e := objects.Enforced{AssignsIDs: assigns}
	level := infraspec.Security(found.Labels[enforceLabel])
	if level == infraspec.Restricted || level == infraspec.Baseline {
		e.Level = level
	}
	return e, nil
}
