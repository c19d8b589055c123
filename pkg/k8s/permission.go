package k8s

import (
	"context"
	"fmt"
	"slices"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Permission is the permission to use a verb on a resource in a namespace.
type Permission struct{ Namespace, Group, Resource, Verb string }

// Missing returns the permissions in want that the user lacks. It asks once for all rules of each namespace
// (SelfSubjectRulesReview). Not every authorizer lists its rules, so it then asks for each permission that the rules
// do not grant.
func (c *Client) Missing(ctx context.Context, want []Permission) ([]Permission, error) {
	rules := map[string][]authorizationv1.ResourceRule{}
	for _, p := range want {
		if _, asked := rules[p.Namespace]; asked {
			continue
		}
		review := &authorizationv1.SelfSubjectRulesReview{
			Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: p.Namespace},
		}
		answer, err := c.authorization.SelfSubjectRulesReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return nil, Explain(err, "check the permissions in namespace %s", p.Namespace)
		}
		rules[p.Namespace] = answer.Status.ResourceRules
	}
	var ungranted []Permission
	for _, p := range want {
		if !slices.ContainsFunc(rules[p.Namespace], p.grantedBy) {
			ungranted = append(ungranted, p)
		}
	}
	return c.Denied(ctx, ungranted)
}

// Denied returns the given permissions that the user lacks. It asks for each one concurrently
// (SelfSubjectAccessReview).
func (c *Client) Denied(ctx context.Context, permissions []Permission) ([]Permission, error) {
	allowed := make([]bool, len(permissions))
	errs := make([]error, len(permissions))
	var calls sync.WaitGroup
	for i, p := range permissions {
		calls.Go(func() {
			review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
				ResourceAttributes: &authorizationv1.ResourceAttributes{
					Namespace: p.Namespace, Group: p.Group, Resource: p.Resource, Verb: p.Verb,
				},
			}}
			answer, err := c.authorization.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
			errs[i], allowed[i] = err, err == nil && answer.Status.Allowed
		})
	}
	calls.Wait()
	var missing []Permission
	for i, p := range permissions {
		if errs[i] != nil {
			return nil, Explain(errs[i], "check the permission to %s", p)
		}
		if !allowed[i] {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

// String returns the permission in words, such as "patch deployments.apps in namespace default".
func (p Permission) String() string {
	resource := p.Resource
	if p.Group != "" {
		resource += "." + p.Group
	}
	return fmt.Sprintf("%s %s in namespace %s", p.Verb, resource, p.Namespace)
}

// grantedBy reports whether a rule grants p for objects of any name.
func (p Permission) grantedBy(r authorizationv1.ResourceRule) bool {
	has := func(list []string, item string) bool {
		return slices.Contains(list, item) || slices.Contains(list, "*")
	}
	return len(r.ResourceNames) == 0 && has(r.Verbs, p.Verb) && has(r.APIGroups, p.Group) && has(r.Resources, p.Resource)
}
