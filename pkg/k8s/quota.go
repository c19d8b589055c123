package k8s

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Budget is what a namespace allows in all, and what it gives a container that asks for nothing.
type Budget struct {
	Quotas []corev1.ResourceQuota
	Limits []corev1.LimitRange
}

// Budget reads a namespace's ResourceQuotas and LimitRanges. Who may not read them has none to go by.
func (c *Client) Budget(ctx context.Context, ns string) (Budget, error) {
	var b Budget
	err := together(
		func() error {
			l, err := c.core.ResourceQuotas(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
			if err == nil {
				b.Quotas = l.Items
			}
			return Explain(err, "list the ResourceQuotas in namespace %s", ns)
		},
		func() error {
			l, err := c.core.LimitRanges(ns).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
			if err == nil {
				b.Limits = l.Items
			}
			return Explain(err, "list the LimitRanges in namespace %s", ns)
		},
	)
	if _, denied := errors.AsType[*DeniedError](err); denied {
		return b, nil
	}
	return b, err
}
