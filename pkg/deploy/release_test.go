package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
	"norn/pkg/pipeline"
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
			"a schedule that somebody suspended", histories{
				"main": {
					current(part(2, "b", 2, "2=main,nightly,worker")), part(1, "a", 1, "1=main,nightly,worker"),
				},
				"worker": {current(part(1, "a", 1, "1=main,nightly,worker", "2=main,nightly,worker"))},
			}, both,
			[]string{"2 b main:2 worker:1 verified current", "1 a main:1 worker:1 verified"},
		},
		{
			"a process changed by others, to the image of another release", histories{
				"main": {current(part(2, "b", 2, "2=main,worker")), part(1, "a", 1, "1=main,worker")},
				"worker": {
					current(part(3, "a", 3)), part(2, "b", 2, "2=main,worker"), part(1, "x", 1, "1=main,worker"),
				},
			}, both,
			[]string{"0 a worker:3 verified current", "2 b main:2 worker:2 verified", "1 a main:1 worker:1 verified"},
		},
		{
			"back to an earlier release without a process of it", histories{
				"main": {
					current(part(3, "a", 5, "1=main,worker", "3=main")), part(2, "b", 2, "2=main"),
				},
			}, []string{"main"},
			[]string{"3 a main:3 verified current", "2 b main:2 verified", "1 a main:3 verified"},
		},
		{
			"one process left, after a restart of the other", histories{
				"main": {
					current(part(3, "c", 4, "4=main")), part(2, "b", 2, "2=main,worker", "3=main,worker"),
					part(1, "a", 1, "1=main,worker"),
				},
			}, []string{"main"},
			[]string{"4 c main:3 verified current", "3 b main:2 verified", "1 a main:1 verified"},
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
			releases := grouped(c.given, c.running)
			if n := len(slices.DeleteFunc(slices.Clone(releases), func(r release) bool { return !r.Current })); n != 1 {
				t.Errorf("%d releases are current", n)
			}
			for _, r := range releases {
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

// A rollback names the processes that it cannot bring back, and the command that does.
func TestMissing(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for _, c := range []struct {
		processes                 []string
		commit, environment, want string
	}{
		{[]string{"main"}, commit, "", ""},
		{
			[]string{"main", "worker"}, commit, "",
			"process worker was part of revision 2, commit 0123456789ab, and no longer exists; to create it again, run " +
				"norn deploy . 0123456789ab",
		},
		{
			[]string{"mailer", "main", "worker"}, commit, "staging",
			"processes mailer, worker were part of revision 2, commit 0123456789ab, and no longer exist; to create them " +
				"again, run norn deploy . 0123456789ab --env staging",
		},
		{
			[]string{"main", "worker"}, "", "",
			"process worker was part of revision 2, b, and no longer exists; to create it again, deploy an infraspec that " +
				"has worker",
		},
	} {
		chosen := chosenRelease{release: release{Revision: part(2, "b", 2), processes: c.processes}}
		chosen.Commit = c.commit
		chosen.from.standing = []standing{{Target: rollout.Target{App: "shop"}}}
		if got := chosen.missing(c.environment); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Only a process with Pods can be restarted, and the error says why another one cannot.
func TestCannotRestart(t *testing.T) {
	deployed := func(process string, replicas int32, away string) standing {
		d := &appsv1.Deployment{}
		d.Spec.Replicas, d.Annotations = &replicas, map[string]string{metadata.ReplicasAnnotation: away}
		return standing{rollout.Target{App: "shop", Process: process}, d}
	}
	nightly := batchv1.CronJob{}
	nightly.Labels = map[string]string{metadata.ProcessLabel: "nightly"}
	all := processes{[]standing{deployed("", 1, ""), deployed("worker", 0, "2")}, []batchv1.CronJob{nightly}}
	for process, want := range map[string]string{
		"nightly": "process nightly of shop is a cron process, and has no Pods to replace; choose one of main",
		"worker":  "process worker of shop is scaled to 0; choose one of main",
		"wroker":  `shop has no process "wroker"; choose one of main`,
	} {
		_, err := all.restart(nil, process)
		if got := fmt.Sprint(err, "; ", pipeline.HintOf(err)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	all.standing = []standing{deployed("", 0, "1"), deployed("worker", 0, "2")}
	_, err := all.restart(nil, "")
	const want = "all processes of shop are scaled to 0; start the processes with norn deploy shop"
	if got := fmt.Sprint(err, "; ", pipeline.HintOf(err)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
