package metadata

import (
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The annotations of a ReplicaSet that record how its rollouts ended. The name ends with the ReplicaSet's
// pod-template-hash, as in norn/verified.6d4f8b7c9, because a mark may be copied. kubectl rollout undo copies the
// annotations of a ReplicaSet to the Deployment, and the Deployment's controller copies them to other ReplicaSets.
const (
	verifiedPrefix = earlierVerified + "."
	failedPrefix   = earlierFailed + "."
	// releasePrefix begins the name of the annotation with the releases of which the ReplicaSet is a part.
	releasePrefix = "norn/release."
	// afterPrefix begins the name of the annotation with the UID of the ReplicaSet that ran before.
	afterPrefix = "norn/after."
	// commitsPrefix begins the name of the annotation with the commits that the ReplicaSet was shipped for.
	commitsPrefix = "norn/commits."
)

// The annotations of earlier versions of norn, without a hash.
const (
	earlierVerified  = "norn/verified"
	earlierFailed    = "norn/failed"
	earlierRolledOut = "norn/rolled-out"
)

// maxCommits is how many commits the mark of a ReplicaSet names.
const maxCommits = 30

// Marks record how a ReplicaSet's rollouts ended, as far as norn watched them.
type Marks struct {
	Verified time.Time // when one last completed, or zero
	Failed   time.Time // when one failed since then, or zero
	Reason   string    // why it failed
	After    types.UID // the ReplicaSet that ran before the one that completed, or ""
	Releases []Release // of which the ReplicaSet is a part, oldest first; none if the app has one process
	// Commits are the commits that were shipped as this ReplicaSet, the last one at the end, if there were several.
	// They have the same content.
	Commits []string
}

// MarksOf returns the marks of a ReplicaSet. If an earlier version of norn wrote some too, the later ones count. Marks
// of other ReplicaSets that were copied to it do not count.
func MarksOf(rs *appsv1.ReplicaSet) Marks {
	m := earlierMarks(rs)
	hash := rs.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	if at := parseTime(rs.Annotations[verifiedPrefix+hash]); at.After(m.Verified) {
		m.Verified = at
	}
	at, reason, _ := strings.Cut(rs.Annotations[failedPrefix+hash], " ")
	if at := parseTime(at); at.After(m.Failed) {
		m.Failed, m.Reason = at, reason
	}
	m.After = types.UID(rs.Annotations[afterPrefix+hash])
	m.Releases = parseReleases(rs.Annotations[releasePrefix+hash])
	m.Commits = strings.Fields(rs.Annotations[commitsPrefix+hash])
	if m.Failed.Before(m.Verified) {
		m.Failed, m.Reason = time.Time{}, ""
	}
	return m
}

// Last returns when norn last saw a rollout end, or zero.
func (m Marks) Last() time.Time {
	if m.Failed.After(m.Verified) {
		return m.Failed
	}
	return m.Verified
}

// WithCommit returns m with one more commit that was shipped as the ReplicaSet, or m if commit is "".
func (m Marks) WithCommit(commit string) Marks {
	if commit == "" {
		return m
	}
	all := slices.DeleteFunc(slices.Clone(m.Commits), func(has string) bool { return has == commit })
	all = append(all, commit)
	m.Commits = all[max(0, len(all)-maxCommits):]
	return m
}

// Annotations returns a merge patch of a ReplicaSet's annotations that leaves it with these marks alone.
func (m Marks) Annotations(rs *appsv1.ReplicaSet) map[string]any {
	patch := WithoutMarks(rs.Annotations)
	hash := rs.Labels[appsv1.DefaultDeploymentUniqueLabelKey]
	if !m.Verified.IsZero() {
		patch[verifiedPrefix+hash] = m.Verified.UTC().Format(time.RFC3339)
	}
	if !m.Failed.IsZero() {
		patch[failedPrefix+hash] = m.Failed.UTC().Format(time.RFC3339) + " " + m.Reason
	}
	if m.After != "" {
		patch[afterPrefix+hash] = string(m.After)
	}
	if len(m.Releases) > 0 {
		patch[releasePrefix+hash] = releasesMark(m.Releases)
	}
	if len(m.Commits) > 0 {
		patch[commitsPrefix+hash] = strings.Join(m.Commits, " ")
	}
	return patch
}

// WithoutMarks returns a merge patch that removes the marks from annotations. It is empty if they have none.
func WithoutMarks(annotations map[string]string) map[string]any {
	patch := map[string]any{}
	for name := range annotations {
		switch {
		case name == earlierVerified, name == earlierFailed, name == earlierRolledOut,
			strings.HasPrefix(name, verifiedPrefix), strings.HasPrefix(name, failedPrefix),
			strings.HasPrefix(name, releasePrefix), strings.HasPrefix(name, afterPrefix),
			strings.HasPrefix(name, commitsPrefix):
			patch[name] = nil
		}
	}
	return patch
}

// earlierMarks returns the marks that an earlier version of norn has written on a ReplicaSet. Their names have no hash,
// so a mark counts only if norn is its field manager: a copied annotation belongs to the controller.
func earlierMarks(rs *appsv1.ReplicaSet) (m Marks) {
	written := func(name string) string {
		if !owns(rs, DeployManager, name) {
			return ""
		}
		return rs.Annotations[name]
	}
	m.Verified = parseTime(written(earlierVerified))
	if m.Reason = written(earlierFailed); m.Reason != "" {
		if m.Failed = parseTime(written(earlierRolledOut)); m.Failed.IsZero() {
			m.Failed = rs.CreationTimestamp.Time
		}
	}
	return m
}

// owns reports whether a field manager owns an annotation of an object.
func owns(o metav1.Object, manager, annotation string) bool {
	for _, m := range o.GetManagedFields() {
		if m.Manager == manager && Covers(m, `"f:`+annotation+`":`) {
			return true
		}
	}
	return false
}

// parseTime returns the time of an annotation, or zero.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at
}
