package deploy

import (
	"strings"
	"testing"

	"norn/pkg/deploy/image"
	"norn/pkg/deploy/source"
	"norn/pkg/k8s"
)

const (
	firstCommit  = "0123456789abcdef0123456789abcdef01234567"
	secondCommit = "ffffffffffffffffffffffffffffffffffffffff"
	firstImage   = "r/shop:0123456789ab@sha256:a"
	secondImage  = "r/shop:ffffffffffff@sha256:a"
)

// The running image stays if the new one is the same and nothing else changes in the Pods, and never if it might fail.
func TestKeep(t *testing.T) {
	runs := liveWorkload{image: firstImage, verified: true, commit: firstCommit}
	with := func(change func(*liveWorkload)) liveWorkload { w := runs; change(&w); return w }
	for _, c := range []struct {
		name    string
		live    liveApp
		options Options
		image   string
		want    string
	}{
		{"the same", liveApp{liveWorkload: runs}, Options{}, secondImage, firstImage},
		{"another digest", liveApp{liveWorkload: runs}, Options{}, "r/shop:ffffffffffff@sha256:b",
			"r/shop:ffffffffffff@sha256:b"},
		{"without a digest", liveApp{liveWorkload: runs}, Options{}, "shop:ffffffffffff", "shop:ffffffffffff"},
		{"--force", liveApp{liveWorkload: runs}, Options{Force: true}, secondImage, secondImage},
		{"not verified", liveApp{liveWorkload: with(func(w *liveWorkload) { w.verified = false })}, Options{},
			secondImage, secondImage},
		{"another template", liveApp{liveWorkload: with(func(w *liveWorkload) { w.reshaped = true })}, Options{},
			secondImage, secondImage},
		{"another template, which stays", liveApp{liveWorkload: with(func(w *liveWorkload) { w.reshaped = true })},
			Options{VersionOnly: true}, secondImage, firstImage},
		{"a process with another image",
			liveApp{liveWorkload: runs, processes: []liveWorkload{with(func(w *liveWorkload) { w.image = "x" })}},
			Options{}, secondImage, secondImage},
		{"a new process", liveApp{liveWorkload: runs, processes: []liveWorkload{{}}}, Options{}, secondImage, secondImage},
	} {
		r := &run{options: c.options}
		src := sourced{live: c.live, tree: source.Tree{Commit: secondCommit}}
		if got := r.keep(src, c.image); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	given := sourced{live: liveApp{liveWorkload: runs}}
	if got := (&run{}).keep(given, secondImage); got != secondImage {
		t.Errorf("an image without a commit: %s, and the history loses the commit that runs", got)
	}
}

// A commit with the same content is not the version that runs: its migration may be another one.
func TestSameContent(t *testing.T) {
	for _, c := range []struct {
		name, commit, running string
		same                  bool
	}{
		{"another commit", secondCommit, firstCommit, true},
		{"the same commit", firstCommit, firstCommit, false},
		{"an image without a commit", secondCommit, "", true},
		{"recorded by an older norn", firstCommit, "", false},
		{"--image", "", firstCommit, false},
	} {
		live := liveApp{liveWorkload: liveWorkload{image: firstImage, verified: true, commit: c.running}}
		s := shipment{sourced: sourced{live: live, tree: source.Tree{Commit: c.commit}}, image: firstImage}
		r := &run{}
		if s.sameContent() != c.same || r.runsAlready(s) == c.same {
			t.Errorf("%s: same content %v, runs already %v", c.name, s.sameContent(), r.runsAlready(s))
		}
	}
}

// A dry run finds the image of a commit that runs, even if the image was built for another one.
func TestBuiltBefore(t *testing.T) {
	for _, c := range []struct {
		name, commit, running, want string
	}{
		{"built for it", firstCommit, firstCommit, firstImage},
		{"built for it, and runs for another", firstCommit, secondCommit, firstImage},
		{"built for another, and runs for it", secondCommit, secondCommit, firstImage},
		{"neither", secondCommit, firstCommit, ""},
	} {
		tree := source.Tree{Commit: c.commit}
		s := sourced{live: liveApp{liveWorkload: liveWorkload{image: firstImage, commit: c.running}}, tree: tree}
		made := built{builder: anyBuilder{}, name: "r/shop:" + tree.Tag()}
		if got := s.builtBefore(made); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

type anyBuilder struct{ image.Builder }

// A rollback finds a release by each commit that was shipped as it, after one that was built from the commit.
func TestFindByAnotherCommit(t *testing.T) {
	first, second := part(1, "a", 1), part(2, "b", 2)
	first.Commit, second.Commit, second.Also = firstCommit, secondCommit, []string{firstCommit, "abcdef0123456789"}
	all := releasesOf("main", []k8s.Revision{second, first})
	for target, want := range map[string]int64{"0123456789": 1, "fffffff": 2, "abcdef0": 2} {
		if got, err := findRelease(all, target); err != nil || got.Number != want {
			t.Errorf("%s: revision %d, error %v, want %d", target, got.Number, err, want)
		}
	}
}

// A promotion names the secrets whose values it changes: new ones too, and not the ones that only the cluster has.
func TestChangedNames(t *testing.T) {
	live := map[string][]byte{"SAME": []byte("a"), "OTHER": []byte("a"), "OLD": []byte("a")}
	values := map[string][]byte{"SAME": []byte("a"), "OTHER": []byte("b"), "NEW": []byte("c"), "EMPTY": {}}
	if got := strings.Join(changedNames(live, values), " "); got != "EMPTY NEW OTHER" {
		t.Errorf("got %q", got)
	}
}
