package objects

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/k8s/metadata"
)

// Another path is another repository, and another host is not.
func TestCheckRepository(t *testing.T) {
	for _, c := range []struct {
		name, theirs, ours string
		same               bool
	}{
		{"the same", "github.com/team/shop", "github.com/team/shop", true},
		{"an alias of ssh", "github.com/team/shop", "github-work/team/shop", true},
		{"a mirror", "github.com/team/shop", "mirror.example.com/team/shop", true},
		{"an address of the CI", "git.example.com/team/shop", "gitlab.svc.cluster.local/team/shop", true},
		{"HTTPS of Bitbucket Data Center", "git.example.com/scm/team/shop", "git.example.com/team/shop", true},
		{"HTTPS of Gerrit with a password", "git.example.com/team/shop", "git.example.com/a/team/shop", true},
		{"unknown", "", "github.com/team/shop", true},
		{"without a remote", "github.com/team/shop", "", true},
		{"another name", "github.com/team/shop", "github.com/team/copy", false},
		{"another owner", "github.com/team/shop", "github.com/ada/shop", false},
		{"another group", "gitlab.com/team/web/shop", "gitlab.com/team/shop", false},
		{"a name that begins alike", "github.com/scmteam/shop", "github.com/team/shop", false},
	} {
		d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{
			metadata.RepositoryAnnotation: c.theirs,
		}}}
		fields := &metav1.FieldsV1{}
		fields.SetRawBytes([]byte(`{"f:metadata":{"f:annotations":{"f:norn/repository":{}}}}`))
		d.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: metadata.ForgeManager, FieldsV1: fields}}
		if err := CheckRepository(d, "shop", c.ours); (err == nil) != c.same {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
