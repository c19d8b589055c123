package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
)

// part returns a revision that norn rolled out at a minute, as a part of releases such as 1=main,worker.
func part(number int64, image string, minute int, releases ...string) k8s.Revision {
	v := k8s.Revision{
		Number: number, Image: image, Since: time.Date(2026, 1, 2, 3, minute, 0, 0, time.UTC),
		Verified: true, Proven: true, Set: &appsv1.ReplicaSet{},
	}
	for _, text := range releases {
		var r metadata.Release
		var names string
		if _, err := fmt.Sscanf(text, "%d=%s", &r.Number, &names); err != nil {
			panic(err)
		}
		r.Processes = strings.Split(names, ",")
		v.Releases = append(v.Releases, r)
	}
	return v
}

func current(v k8s.Revision) k8s.Revision { v.Current = true; return v }

func failed(v k8s.Revision) k8s.Revision {
	v.Verified, v.Proven, v.Failed = false, false, k8srollout.CrashLoop
	return v
}

func unseen(v k8s.Revision) k8s.Revision { v.Verified, v.Proven = false, false; return v }

// The revisions of the processes that ran together form one release.
func TestGrouped(t *testing.T) {
	type histories = map[string][]k8s.Revision
	both := []string{"main", "worker"}
	for _, c := range []struct {
		name    string
		given   histories
		running []string
		want    []string
	}{
		{
			"two deploys", histories{
				"main":   {current(part(2, "b", 2, "2=main,worker")), part(1, "a", 1, "1=main,worker")},
				"worker": {current(part(2, "b", 3, "2=main,worker")), part(1, "a", 1, "1=main,worker")},
			}, both,
			[]string{"2 b main:2 worker:2 verified current", "1 a main:1 worker:1 verified"},
		},
		{
			"one process unchanged", histories{
				"main":   {current(part(2, "a", 2, "2=main,worker")), part(1, "a", 1, "1=main,worker")},
				"worker": {current(part(1, "a", 1, "1=main,worker", "2=main,worker"))},
			}, both,
			[]string{"2 a main:2 worker:1 verified current", "1 a main:1 worker:1 verified"},
		},
		{
			"a failed deploy, restored", histories{
				"main": {
					current(part(3, "a", 3, "1=main,worker", "3=main,worker")), unseen(part(2, "b", 2, "2=main,worker")),
				},
				"worker": {
					current(part(3, "a", 3, "1=main,worker", "3=main,worker")), failed(part(2, "b", 2, "2=main,worker")),
				},
			}, both,
			[]string{"3 a main:3 worker:3 verified current", "2 b main:2 worker:2 failed"},
		},
		{
			"a process added, from before the app had several", histories{
				"main": {
					current(part(4, "d", 4, "4=main,worker")), part(3, "c", 3), failed(part(2, "b", 2)), part(1, "a", 1),
				},
				"worker": {current(part(1, "d", 4, "4=main,worker"))},
			}, both,
			[]string{
				"4 d main:4 worker:1 verified current", "3 c main:3 verified", "2 b main:2 failed", "1 a main:1 verified",
			},
		},
		{
			"another's image", histories{
				"main":   {current(part(3, "x", 5)), part(2, "b", 2, "2=main,worker"), part(1, "a", 1, "1=main,worker")},
				"worker": {current(part(2, "b", 2, "2=main,worker")), part(1, "a", 1, "1=main,worker")},
			}, both,
			[]string{"0 x main:3 verified current", "2 b main:2 worker:2 verified", "1 a main:1 worker:1 verified"},
		},
		{
			"a process scaled away", histories{
				"main": {
					current(part(3, "a", 3, "1=main", "3=main")), part(2, "b", 2, "2=main,worker"),
				},
				"worker": {current(part(1, "b", 2, "2=main,worker"))},
			}, []string{"main"},
			[]string{"3 a main:3 verified current", "2 b main:2 worker:1 verified"},
		},
		{
			"a revision that the cluster no longer has", histories{
				"main":   {current(part(2, "b", 2, "2=main,worker"))},
				"worker": {current(part(1, "a", 1, "1=main,worker", "2=main,worker"))},
			}, both,
			[]string{"2 b main:2 worker:1 verified current"},
		},
		{
			"failed before a process had a revision", histories{
				"main":   {current(part(1, "a", 1, "1=main,worker"))},
				"worker": {current(part(1, "a", 1, "1=main,worker")), failed(part(2, "b", 2, "2=main,worker"))},
			}, both,
			[]string{"2 b worker:2 failed", "1 a main:1 worker:1 verified current"},
		},
		{
			"a process that has gone", histories{
				"main": {current(part(2, "b", 2, "2=main")), part(1, "a", 1, "1=main,worker")},
			}, []string{"main"},
			[]string{"2 b main:2 verified current", "1 a main:1 verified"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, r := range grouped(c.given, c.running) {
				line := fmt.Sprint(r.Number, " ", r.Image)
				for _, process := range both {
					if part, has := r.parts[process]; has {
						line += fmt.Sprintf(" %s:%d", process, part.Number)
					}
				}
				for word, is := range map[string]bool{" failed": r.Failed != "", " verified": r.Verified} {
					if is {
						line += word
					}
				}
				if r.Current {
					line += " current"
				}
				got = append(got, line)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A number from before a rollback still leads to the release.
func TestEarlierNumber(t *testing.T) {
	all := grouped(map[string][]k8s.Revision{
		"main": {current(part(3, "a", 3, "1=main", "3=main")), part(2, "b", 2, "2=main")},
	}, []string{"main"})
	if got, err := findRelease(all, "1"); err != nil || got.Number != 3 {
		t.Errorf("revision %d, error %v, want 3", got.Number, err)
	}
}
