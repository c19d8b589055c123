package deploy

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s"
)

// repository makes a git repository with an app in a subfolder, and returns that folder and its two commits.
func repository(t *testing.T) (dir string, commits []string) {
	t.Helper()
	top := t.TempDir()
	dir = filepath.Join(top, "apps", "shop")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, top, "init", "-q")
	for _, text := range []string{"one", "two"} {
		write(t, filepath.Join(dir, "file"), text)
		git(t, top, "add", "-A")
		git(t, top, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", text)
		commits = append(commits, git(t, top, "rev-parse", "HEAD"))
	}
	return dir, commits
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, s source) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFetchRef(t *testing.T) {
	dir, commits := repository(t)
	write(t, filepath.Join(dir, "file"), "uncommitted")
	before := git(t, dir, "status", "--porcelain")
	s, err := fetch(t.Context(), dir, commits[0][:8], filepath.Join(t.TempDir(), "into"))
	if err != nil {
		t.Fatal(err)
	}
	if s.commit != commits[0] || s.dirty || content(t, s) != "one" || s.number != "1" {
		t.Errorf("%+v with %q", s, content(t, s))
	}
	if after := git(t, dir, "status", "--porcelain"); after != before {
		t.Errorf("the checkout was touched: %q, before %q", after, before)
	}
}

func TestFetchCheckout(t *testing.T) {
	dir, commits := repository(t)
	s, err := fetch(t.Context(), dir, "", filepath.Join(t.TempDir(), "into"))
	if err != nil || s.dirty || s.tag() != commits[1][:12] || content(t, s) != "two" {
		t.Fatalf("%+v, error %v", s, err)
	}
	write(t, filepath.Join(dir, "file"), "uncommitted")
	s, err = fetch(t.Context(), dir, "", filepath.Join(t.TempDir(), "into"))
	if err != nil || !s.dirty || s.tag() != commits[1][:12]+"-dirty" || content(t, s) != "uncommitted" {
		t.Fatalf("%+v, error %v", s, err)
	}
}

func TestFetchRefuses(t *testing.T) {
	dir, _ := repository(t)
	var usage *UsageError
	if _, err := fetch(t.Context(), dir, "nosuch", t.TempDir()); !errors.As(err, &usage) || !strings.Contains(err.Error(), `no commit "nosuch"`) {
		t.Errorf("error %v", err)
	}
	if _, err := fetch(t.Context(), dir, "--output=x", t.TempDir()); !errors.As(err, &usage) {
		t.Errorf("error %v for a ref that looks like a flag", err)
	}
	if _, err := fetch(t.Context(), t.TempDir(), "", t.TempDir()); !errors.As(err, &usage) || !strings.Contains(err.Error(), "not in a git repository") {
		t.Errorf("error %v", err)
	}
}

func TestPlainHTTP(t *testing.T) {
	for image, want := range map[string]bool{
		"127.0.0.1:5000/a:1": true, "localhost/a:1": true, "localhost:5000/a:1": true, "[::1]:5000/a:1": true,
		"registry.example.com/a:1": false, "10.0.0.1:5000/a:1": false, "localhost.example.com/a:1": false,
	} {
		if got := PlainHTTP(image); got != want {
			t.Errorf("PlainHTTP(%q) = %t", image, got)
		}
	}
}

func TestIsCommit(t *testing.T) {
	const commit = "0123456789abcdef"
	for _, c := range []struct {
		commit, target string
		want           bool
	}{
		{commit, "0123456", true}, {commit, commit, true}, {commit, "012345", false}, {commit, "1123456", false}, {commit, "", false},
		{commit + "-dirty", "0123456", false}, {commit + "-dirty", "0123456-dirty", true}, {commit, "0123456-dirty", false},
	} {
		if got := isCommit(c.commit, c.target); got != c.want {
			t.Errorf("isCommit(%q, %q) = %t", c.commit, c.target, got)
		}
	}
}

func TestDigestOf(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	list := []byte(`["other/shop@` + digest + `","me/shop@` + digest + `"]`)
	if got, err := digestOf("docker.io/me/shop:1", list); err != nil || got != digest {
		t.Errorf("digest %q, error %v", got, err)
	}
	if got, err := digestOf("registry.example.com/me/shop:1", list); err == nil {
		t.Errorf("digest %q of another repository", got)
	}
}

func revision(number int64, image string, verified, current bool, annotations map[string]string) k8s.Revision {
	rs := &appsv1.ReplicaSet{}
	rs.Spec.Template.Annotations = annotations
	rs.Spec.Template.Labels = map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: image}
	rs.Spec.Template.Spec.Containers = []corev1.Container{{Image: image}}
	return k8s.Revision{Number: number, Image: image, Verified: verified, Current: current, Set: rs}
}

func TestPreviousGood(t *testing.T) {
	restarted := map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
	for _, c := range []struct {
		name      string
		revisions []k8s.Revision
		want      int64 // 0 for none
	}{
		{"none", nil, 0},
		{"the only one", []k8s.Revision{revision(1, "a", true, true, nil)}, 0},
		{"the one before", []k8s.Revision{revision(2, "b", true, true, nil), revision(1, "a", true, false, nil)}, 1},
		{"not a failed one", []k8s.Revision{revision(3, "c", true, true, nil), revision(2, "b", false, false, nil), revision(1, "a", true, false, nil)}, 1},
		{"not a newer one", []k8s.Revision{revision(3, "c", true, false, nil), revision(2, "b", true, true, nil)}, 0},
		{"where the current one has no ReplicaSet yet", []k8s.Revision{revision(1, "a", true, false, nil)}, 1},
		{"not the same, restarted", []k8s.Revision{revision(3, "b", true, true, restarted), revision(2, "b", true, false, nil), revision(1, "a", true, false, nil)}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := previousGood(c.revisions)
			if got.Number != c.want || (err == nil) != (c.want != 0) {
				t.Errorf("revision %d, error %v; want %d", got.Number, err, c.want)
			}
		})
	}
}
