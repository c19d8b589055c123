package logs

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"norn/pkg/k8s/metadata"
	"norn/pkg/k8s/rollout"
)

// LineFilter selects lines of a log.
type LineFilter struct {
	Since, Until int64            // Unix nanoseconds; 0 for no limit
	Match        []*regexp.Regexp // one of them must match, unless empty
	NoMatch      []*regexp.Regexp // none of them may match
}

// matches reports whether a line is selected. For a line that is too long to buffer, text is its beginning.
func (l *LineFilter) matches(at int64, text []byte) bool {
	if at < l.Since && at != 0 || l.Until != 0 && at > l.Until {
		return false
	}
	matches := func(re *regexp.Regexp) bool { return re.Match(text) }
	if len(l.Match) > 0 && !slices.ContainsFunc(l.Match, matches) {
		return false
	}
	return !slices.ContainsFunc(l.NoMatch, matches)
}

// ContainerFilter selects containers. An empty field selects all.
type ContainerFilter struct {
	Pods     []string // whole names, or the short names that norn logs shows
	Names    []string // of containers; without names, only the containers that norn manages
	All      bool     // also containers that norn does not manage
	Revision string   // new, old, or the number of a revision
}

func (c *ContainerFilter) matchesPod(name string) bool {
	return len(c.Pods) == 0 || slices.ContainsFunc(c.Pods, func(want string) bool {
		return name == want || strings.HasSuffix(name, "-"+want) || strings.HasPrefix(name, want+"-")
	})
}

func (c *ContainerFilter) matchesRevision(r revision) bool {
	switch c.Revision {
	case "":
		return true
	case "new":
		return r.current
	case "old":
		return r.known && !r.current
	default:
		return r.number == c.Revision || slices.Contains(r.earlier, c.Revision)
	}
}

// container is one of a pod's containers.
type container struct {
	pod    *corev1.Pod
	name   string
	origin Origin
}

// wantedContainers returns the selected containers in a stable order: by the age of their Pod, and within a Pod in
// start order.
func (s *session) wantedContainers(ctx context.Context, seen []workload) []container {
	var out []container
	for _, w := range seen {
		out = append(out, s.containersOf(ctx, w)...)
	}
	if len(seen) > 1 {
		slices.SortStableFunc(out, func(a, b container) int {
			return a.pod.CreationTimestamp.Compare(b.pod.CreationTimestamp.Time)
		})
	}
	return out
}

func (s *session) containersOf(ctx context.Context, seen workload) []container {
	revisions, managed := revisionsOf(seen), s.managedContainers(ctx, seen)
	var out []container
	for _, p := range s.wantedPods(seen, revisions) {
		isWanted := s.opts.Containers.isWanted(p, managed)
		several := s.opts.Containers.namesContainers(p, isWanted)
		for _, c := range containerStatuses(p) {
			if isWanted(c.Name) {
				out = append(out, container{p, c.Name, Origin{p.Name, c.Name, revisions.of(p).number, several}})
			}
		}
	}
	return out
}

// wantedPods returns the selected pods, the oldest first.
func (s *session) wantedPods(seen workload, revisions revisions) []*corev1.Pod {
	var out []*corev1.Pod
	for _, p := range seen.Pods {
		if c := &s.opts.Containers; c.matchesPod(p.Name) && c.matchesRevision(revisions.of(p)) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// revision is a revision of a Deployment.
type revision struct {
	number  string   // as in norn history; "" if it has none
	earlier []string // the numbers of earlier releases of which it is a part too
	current bool
	known   bool
}

// revisions maps the UIDs of a Deployment's ReplicaSets to their revisions.
type revisions map[types.UID]revision

func revisionsOf(seen workload) revisions {
	current := rollout.CurrentReplicaSet(seen.Observation)
	several := slices.ContainsFunc(seen.ReplicaSets, isPart)
	out := revisions{}
	for _, rs := range seen.ReplicaSets {
		r := revision{known: true, current: current != nil && rs.UID == current.UID}
		r.number, r.earlier = numbersOf(rs, several)
		out[rs.UID] = r
	}
	return out
}

// numbersOf returns the number of a ReplicaSet's revision. If the app has or had several processes, that is the number
// of the last release of which it is a part, and earlier are those before.
func numbersOf(rs *appsv1.ReplicaSet, several bool) (number string, earlier []string) {
	if !several {
		return rs.Annotations[metadata.RevisionAnnotation], nil
	}
	for _, r := range metadata.MarksOf(rs).Releases {
		if number != "" {
			earlier = append(earlier, number)
		}
		number = strconv.FormatInt(r.Number, 10)
	}
	return number, earlier
}

// isPart reports whether a ReplicaSet is part of a release of several processes.
func isPart(rs *appsv1.ReplicaSet) bool { return len(metadata.MarksOf(rs).Releases) > 0 }

// of returns a pod's revision.
func (r revisions) of(p *corev1.Pod) revision {
	if owner := metav1.GetControllerOf(p); owner != nil {
		return r[owner.UID]
	}
	return revision{}
}
