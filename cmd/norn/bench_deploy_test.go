package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// deployTimeout is what every tool is given for a rollout.
const deployTimeout = 30 * time.Second

// BenchmarkDeploy times, for a bad image and for a crash loop, how long after the kubelet's first report of the failing state norn deploy
// has its verdict, beside kubectl rollout status and helm upgrade --wait on the same change; and how long after the cluster
// reports a good rollout complete norn has ended. make bench-deploy runs it.
func BenchmarkDeploy(b *testing.B) {
	helm := os.Getenv("NORN_BENCH_HELM")
	if helm == "" {
		b.Skip("no peers: run make bench-deploy")
	}
	w := newBench(b)
	good := w.images("serve")
	bad := map[string]string{"bad image": os.Getenv("NORN_TEST_REGISTRY") + "/moody:nope", "crash loop": w.images("exit 3")}
	w.app("moody", "app: moody\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nenv: {PORT: \"8080\"}\n")
	kubectl := func(args ...string) *exec.Cmd {
		return exec.Command(os.Getenv("NORN_TEST_KUBECTL"), append([]string{"--kubeconfig", w.kubeconfig, "-n", w.namespace}, args...)...)
	}
	release := func(image string) *exec.Cmd {
		cmd := exec.Command(helm, "-n", w.namespace, "upgrade", "--install", "moody", w.chart(), "--set", "image="+image, "--wait", "--timeout", deployTimeout.String())
		cmd.Env = []string{"HOME=" + w.apps, "KUBECONFIG=" + w.kubeconfig, "PATH=" + os.Getenv("PATH")}
		return cmd
	}
	clean := func() { w.kubectl("-n", w.namespace, "delete", "deployments,secrets", "--all", "--cascade=foreground") }
	forged := func() { clean(); w.norn("forge", "moody"); w.norn("deploy", "moody", "--image", good) }
	tools := []struct {
		name    string
		prepare func()
		run     func(image string) *exec.Cmd // makes the change, and waits for its end
	}{
		{"norn deploy", forged, func(image string) *exec.Cmd {
			return w.command(w.kubeconfig, "deploy", "moody", "--image", image, "--timeout", deployTimeout.String(), "--no-rollback")
		}},
		{"kubectl rollout status", forged, func(image string) *exec.Cmd {
			must(b, kubectl("set", "image", "deployment/moody", "moody="+image))
			return kubectl("rollout", "status", "deployment/moody", "--timeout", deployTimeout.String())
		}},
		{"helm upgrade --wait", func() { clean(); must(b, release(good)) }, release},
	}
	for _, failure := range []string{"bad image", "crash loop"} {
		for _, tool := range tools {
			tool.prepare()
			reported := w.firstReport(failure)
			out, err := tool.run(bad[failure]).CombinedOutput()
			ended := time.Now()
			if err == nil {
				b.Fatalf("%s calls it a success:\n%s", tool.name, out)
			}
			fmt.Printf("%-10s %-24s ended %6.2f s after the kubelet's first report\n", failure, tool.name, ended.Sub(<-reported).Seconds())
		}
	}
	forged()
	for range 5 {
		complete := w.complete()
		must(b, w.command(w.kubeconfig, "deploy", "moody", "--image", good, "--force"))
		ended := time.Now()
		fmt.Printf("%-10s %-24s ended %6.0f ms after the cluster reported it complete\n", "good", "norn deploy", float64(ended.Sub(<-complete).Microseconds())/1000)
	}
}

// images builds the sample app in a mood, and returns its image.
func (b *bench) images(mood string) string {
	b.t.Helper()
	dir := b.t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "testdata", "apps", "moody"))); err != nil {
		b.t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(os.Getenv("NORN_TEST_BINARIES"), "moody"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "moody"), data, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mood.txt"), []byte(mood+"\n"), 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	image := os.Getenv("NORN_TEST_REGISTRY") + "/moody:" + strings.ReplaceAll(mood, " ", "-")
	for _, args := range [][]string{{"build", "--tag", image, dir}, {"push", "--tls-verify=false", image, "docker://" + image}} {
		cmd := exec.Command("buildah", args...)
		cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot", "STORAGE_DRIVER=vfs")
		must(b.t, cmd)
	}
	return image
}

// chart is the same Deployment as norn's, for helm.
func (b *bench) chart() string {
	b.t.Helper()
	dir := filepath.Join(b.apps, "chart")
	if err := os.MkdirAll(filepath.Join(dir, "templates"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: moody, labels: {app: moody}}
spec:
  selector: {matchLabels: {app: moody}}
  template:
    metadata: {labels: {app: moody}}
    spec: {containers: [{name: moody, image: "{{ .Values.image }}", env: [{name: PORT, value: "8080"}],
      startupProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 5, failureThreshold: 30}}]}
`
	for name, text := range map[string]string{"Chart.yaml": "apiVersion: v2\nname: moody\nversion: 1.0.0\n", "templates/all.yaml": deployment} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	return dir
}

// firstReport tells when the kubelet was first seen to report the failing state: an image that it cannot pull, or a second end of the container.
func (b *bench) firstReport(failure string) <-chan time.Time {
	return b.firstPod(func(_ string, p *corev1.Pod) bool {
		for _, s := range p.Status.ContainerStatuses {
			if failure == "bad image" && s.State.Waiting != nil && strings.Contains(s.State.Waiting.Reason, "ImagePull") {
				return true
			}
			if failure == "crash loop" && s.RestartCount == 1 && s.State.Running == nil {
				return true
			}
		}
		return false
	})
}

// complete tells when the old pod was seen to have ended, which comes after the new one is available.
func (b *bench) complete() <-chan time.Time {
	alive := map[string]bool{} // an earlier version's pod may not be gone yet
	return b.firstPod(func(event string, p *corev1.Pod) bool {
		alive[p.Name] = alive[p.Name] || p.Status.Phase == corev1.PodRunning
		return alive[p.Name] && (event == "DELETED" || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed)
	})
}

// firstPod is when kubectl's watch first shows a pod that is so.
func (b *bench) firstPod(is func(event string, p *corev1.Pod) bool) <-chan time.Time {
	ctx, cancel := context.WithCancel(b.t.Context())
	cmd := exec.CommandContext(ctx, os.Getenv("NORN_TEST_KUBECTL"), "--kubeconfig", b.kubeconfig, "-n", b.namespace, "get", "pods", "-l", "app=moody", "-o", "json", "--watch", "--output-watch-events")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	found, begun := make(chan time.Time, 1), make(chan struct{})
	var once sync.Once
	go func() {
		defer cancel()
		for d := json.NewDecoder(bufio.NewReader(out)); ; {
			var e struct {
				Type   string
				Object corev1.Pod
			}
			if err := d.Decode(&e); err != nil {
				return
			}
			once.Do(func() { close(begun) })
			if is(e.Type, &e.Object) {
				found <- time.Now()
				return
			}
		}
	}()
	<-begun
	return found
}
