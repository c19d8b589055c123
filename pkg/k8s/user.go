package k8s

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// User is the user that the API server authenticated.
type User struct {
	Name   string
	Groups []string
}

// WhoAmI asks the API server for the user (SelfSubjectReview). Servers before 1.28 lack this API; see IsNotFound.
func (c *Client) WhoAmI(ctx context.Context) (User, error) {
	review := &authenticationv1.SelfSubjectReview{}
	answer, err := c.authentication.SelfSubjectReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return User{}, Explain(err, "get the user")
	}
	return User{answer.Status.UserInfo.Username, answer.Status.UserInfo.Groups}, nil
}
