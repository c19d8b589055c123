package k8s

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Budget holds the limits of a namespace, and its defaults for containers.
type Budget struct {
	Quotas []corev1.ResourceQuota
	Limits []corev1.LimitRange
}

// Budget reads a namespace's ResourceQuotas and LimitRanges. It omits a kind that the user is not allowed to list.
func (c *Client) Budget(ctx context.Context, ns string) (Budget, error) {
	var b Budget
	err := together(
		list(ctx, c.core.ResourceQuotas(ns), metav1.ListOptions{ResourceVersion: "0"}, "the ResourceQuotas in namespace "+ns,
			func(l *corev1.ResourceQuotaList) { b.Quotas = l.Items }),
		list(ctx, c.core.LimitRanges(ns), metav1.ListOptions{ResourceVersion: "0"}, "the LimitRanges in namespace "+ns,
			func(l *corev1.LimitRangeList) { b.Limits = l.Items }),
	)
	if _, denied := errors.AsType[*DeniedError](err); denied {
		return b, nil
	}
	return b, err
}
