package logs

import (
	"os"
	"testing"
	"time"

	"norn/test/bed"
)

// Many Pods write at full speed while they restart, the kubelet and the API server are killed, and logs are rotated.
// norn shows every line of every instance once and in order.
func TestEveryLineOnce(t *testing.T) {
	soak(t)
	b := newWorld(t)
	pods, rate := number(os.Getenv("NORN_TEST_PODS"), 30), number(os.Getenv("NORN_TEST_RATE"), 0)
	b.SetLogRotation(t, "1Gi", "3s")
	b.WriteApp("count", counting(pods, rate))
	b.Norn("forge", "count", "--image", b.Image(t, "count", nil))
	kept := b.keepLogs()
	f := b.follow(unchanged, "count")
	f.kept = kept
	seen := func(n int) func() bool {
		return func() bool { has, _ := f.instances(); return has >= n }
	}
	bed.Eventually(b.T, 2*time.Minute, "all pods are followed", seen(pods))
	b.rotate(f)
	b.restart()
	bed.Eventually(b.T, 2*time.Minute, "some new pods are followed", seen(pods+pods/3))
	b.rotate(f)
	b.KillComponent(t, "kubelet")
	b.restarted()
	bed.Eventually(b.T, time.Minute, "all new pods are followed", seen(2*pods))
	b.rotate(f)
	b.KillComponent(t, "kube-apiserver")
	bed.Eventually(b.T, time.Minute, "the API server is back", func() bool {
		return b.KubectlCommand("get", "pods").Run() == nil
	})
	b.restart()
	bed.Eventually(b.T, 2*time.Minute, "some of the third set of pods are followed", seen(2*pods+pods/3))
	b.rotate(f)
	b.restarted()
	bed.Eventually(b.T, time.Minute, "the third set of pods are followed", seen(3*pods))
	b.RotateLogs(t, b.Namespace, f.pods()) // all Pods end while the streams are still in the old files
	b.Kubectl("scale", "deployment/count", "--replicas=0")
	b.Kubectl("wait", "pods", "--all", "--for=delete", "--timeout=2m")
	written := kept.ends()
	bed.Eventually(b.T, time.Minute, "all lines have been read", func() bool { return f.hasAll(written) })
	f.stop(t)
	f.cutShort(written)
	f.forgive(t, kept)
	f.check(t)
	if len(written) != 3*pods {
		t.Errorf("%d instances wrote lines, want %d", len(written), 3*pods)
	}
}

// soak skips a test that takes minutes at full load, unless make soak runs it.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("NORN_TEST_SOAK") == "" {
		t.Skip("run make soak")
	}
}
