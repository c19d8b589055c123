package logs

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// Lines say which lines of a log are wanted.
type Lines struct {
	Since, Until int64            // Unix nanoseconds; 0 for no limit
	Match        []*regexp.Regexp // one of these has to match, where there are any
	NoMatch      []*regexp.Regexp // none of these may
}

// line reports whether a line, or one that begins so, is wanted. Of a line that is too long to be held, the beginning decides.
func (l *Lines) line(at int64, text []byte) bool {
	if at < l.Since && at != 0 || l.Until != 0 && at > l.Until {
		return false
	}
	matches := func(re *regexp.Regexp) bool { return re.Match(text) }
	if len(l.Match) > 0 && !slices.ContainsFunc(l.Match, matches) {
		return false
	}
	return !slices.ContainsFunc(l.NoMatch, matches)
}

// Containers say which containers are wanted; what is empty does not narrow.
type Containers struct {
	Pods       []string // names, or the parts of them that norn logs shows
	Containers []string
	Revision   string // new, old, or a revision's number
}

func (c *Containers) pod(name string) bool {
	return len(c.Pods) == 0 || slices.ContainsFunc(c.Pods, func(want string) bool {
		return name == want || strings.HasSuffix(name, "-"+want) || strings.HasPrefix(name, want+"-")
	})
}

func (c *Containers) container(name string) bool {
	return len(c.Containers) == 0 || slices.Contains(c.Containers, name)
}

// revision reports whether a pod of a revision is wanted.
func (c *Containers) revision(r revision) bool {
	switch c.Revision {
	case "":
		return true
	case "new":
		return r.current
	case "old":
		return r.number != "" && !r.current
	default:
		return r.number == c.Revision
	}
}

// several reports whether a pod has more than one container, so that its lines name theirs.
func several(p *corev1.Pod) bool {
	return len(p.Spec.InitContainers)+len(p.Spec.Containers)+len(p.Spec.EphemeralContainers) > 1
}

// container is one of a pod's containers.
type container struct {
	pod    *corev1.Pod
	name   string
	origin Origin
}

// wantedContainers are those that were asked for, in a stable order: pods by age, a pod's containers as they start.
func (s *session) wantedContainers(seen rollout.Observation) []container {
	revisions := revisionsOf(seen)
	var out []container
	for _, p := range s.wantedPods(seen, revisions) {
		for _, c := range statuses(p) {
			if s.container(c.Name) {
				out = append(out, container{p, c.Name, Origin{p.Name, c.Name, revisions.of(p).number, several(p)}})
			}
		}
	}
	return out
}

func (s *session) wantedPods(seen rollout.Observation, revisions revisions) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range seen.Pods {
		if s.pod(p.Name) && s.revision(revisions.of(p)) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// revision is a Deployment's revision that a pod is of.
type revision struct {
	number  string // as in kubectl rollout history; "" for a pod of none
	current bool
}

// revisions are those of a Deployment's ReplicaSets.
type revisions map[types.UID]revision

func revisionsOf(seen rollout.Observation) revisions {
	current := rollout.CurrentReplicaSet(seen)
	out := revisions{}
	for _, rs := range seen.ReplicaSets {
		out[rs.UID] = revision{number: numberOf(rs), current: current != nil && rs.UID == current.UID}
	}
	return out
}

func numberOf(rs *appsv1.ReplicaSet) string { return rs.Annotations[metadata.RevisionAnnotation] }

func (r revisions) of(p *corev1.Pod) revision {
	if owner := metav1.GetControllerOf(p); owner != nil {
		return r[owner.UID]
	}
	return revision{}
}
