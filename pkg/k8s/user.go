package k8s

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// User is who the API server takes the client for.
type User struct {
	Name   string
	Groups []string
}

// WhoAmI asks the API server who the user is, by a SelfSubjectReview. Servers before 1.28 do not have it; see IsNotFound.
func (c *Client) WhoAmI(ctx context.Context) (User, error) {
	answer, err := c.authentication.SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return User{}, Explain(err, "ask who this is")
	}
	return User{answer.Status.UserInfo.Username, answer.Status.UserInfo.Groups}, nil
}
