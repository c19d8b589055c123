package k8s

import (
	"context"
	"errors"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	applypolicy "k8s.io/client-go/applyconfigurations/policy/v1"

	"norn/pkg/k8s/metadata"
)

// ListDisruptionBudgets lists all PodDisruptionBudgets of a namespace, not only norn's.
func (c *Client) ListDisruptionBudgets(ctx context.Context, ns string) ([]policyv1.PodDisruptionBudget, error) {
	l, err := c.policy.PodDisruptionBudgets(ns).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, Explain(err, "list the PodDisruptionBudgets in namespace %s", ns)
	}
	return l.Items, nil
}

// CreateDisruptionBudget creates or updates a PodDisruptionBudget.
func (c *Client) CreateDisruptionBudget(
	ctx context.Context, conf *applypolicy.PodDisruptionBudgetApplyConfiguration,
) (*policyv1.PodDisruptionBudget, error) {
	b, err := apply(ctx, c, c.policy.PodDisruptionBudgets(*conf.Namespace), metadata.ForgeManager, conf)
	return b, Explain(err, "apply PodDisruptionBudget %s", *conf.Name)
}

// disruptionBudgets returns a call for together that lists PodDisruptionBudgets in inv: those of app, or of all apps if
// it is "", and those of others.
func (c *Client) disruptionBudgets(ctx context.Context, ns, app string, inv *Inventory) func() error {
	return func() error {
		all, err := c.ListDisruptionBudgets(ctx, ns)
		if _, denied := errors.AsType[*DeniedError](err); denied {
			inv.DisruptionBudgetsDenied = true
			return nil
		}
		for _, b := range all {
			its := b.Labels[metadata.AppLabel]
			switch {
			case !metadata.IsOwned(&b, its):
				inv.OtherDisruptionBudgets = append(inv.OtherDisruptionBudgets, b)
			case app == "" || its == app:
				inv.DisruptionBudgets = append(inv.DisruptionBudgets, b)
			}
		}
		return err
	}
}
