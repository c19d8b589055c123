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
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
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
	w.app("moody", "app: moody\nrole: worker\nenv: {PORT: \"8080\"}\n")
	kubectl := func(args ...string) *exec.Cmd {
		return exec.Command(os.Getenv("NORN_TEST_KUBECTL"), append([]string{"--kubeconfig", w.kubeconfig, "-n", w.namespace}, args...)...)
	}
	release := func(image string) {
		cmd := exec.Command(helm, "-n", w.namespace, "upgrade", "--install", "moody", w.chart(), "--set", "image="+image, "--wait", "--timeout", deployTimeout.String())
		cmd.Env = []string{"HOME=" + w.apps, "KUBECONFIG=" + w.kubeconfig, "PATH=" + os.Getenv("PATH")}
		_ = cmd.Run()
	}
	clean := func() { w.kubectl("-n", w.namespace, "delete", "deployments,secrets", "--all", "--cascade=foreground") }
	forged := func() { clean(); w.norn("forge", "moody"); w.norn("deploy", "moody", "--image", good) }
	tools := []struct {
		name    string
		prepare func()
		run     func(image string) // to its end, however it ends
	}{
		{"norn deploy", forged, func(image string) {
			_ = w.command(w.kubeconfig, "deploy", "moody", "--image", image, "--timeout", deployTimeout.String(), "--no-rollback").Run()
		}},
		{"kubectl rollout status", forged, func(image string) {
			must(b, kubectl("set", "image", "deployment/moody", "moody="+image))
			_ = kubectl("rollout", "status", "deployment/moody", "--timeout", deployTimeout.String()).Run()
		}},
		{"helm upgrade --wait", func() { clean(); release(good) }, release},
	}
	for _, failure := range []string{"bad image", "crash loop"} {
		for _, tool := range tools {
			tool.prepare()
			reported := w.firstReport(failure)
			tool.run(bad[failure])
			ended := time.Now()
			fmt.Printf("%-10s %-24s ended %6.2f s after the kubelet's first report\n", failure, tool.name, ended.Sub(<-reported).Seconds())
		}
	}
	for range 5 {
		forged()
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
    spec: {containers: [{name: moody, image: "{{ .Values.image }}", env: [{name: PORT, value: "8080"}]}]}
`
	for name, text := range map[string]string{"Chart.yaml": "apiVersion: v2\nname: moody\nversion: 1.0.0\n", "templates/all.yaml": deployment} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	return dir
}

// firstReport tells when a pod was first seen in the failing state.
func (b *bench) firstReport(failure string) <-chan time.Time {
	return watchFirst(b, "pods", func(p *corev1.Pod) bool {
		for _, s := range p.Status.ContainerStatuses {
			if failure == "bad image" && s.State.Waiting != nil && strings.Contains(s.State.Waiting.Reason, "ImagePull") {
				return true
			}
			if failure == "crash loop" && s.State.Waiting != nil && s.State.Waiting.Reason == "CrashLoopBackOff" {
				return true
			}
		}
		return false
	})
}

// complete tells when the Deployment, after its next change, was first seen complete.
func (b *bench) complete() <-chan time.Time {
	var first int64
	return watchFirst(b, "deployments", func(d *appsv1.Deployment) bool {
		if first == 0 {
			first = d.Generation
		}
		s := d.Status
		return d.Generation > first && s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == 1 && s.AvailableReplicas == 1 && s.Replicas == 1
	})
}

// watchFirst is when kubectl's watch first shows an object that is so.
func watchFirst[T any](b *bench, kind string, is func(*T) bool) <-chan time.Time {
	ctx, cancel := context.WithCancel(b.t.Context())
	cmd := exec.CommandContext(ctx, os.Getenv("NORN_TEST_KUBECTL"), "--kubeconfig", b.kubeconfig, "-n", b.namespace, "get", kind, "-l", "app=moody", "-o", "json", "--watch")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	found := make(chan time.Time, 1)
	go func() {
		defer cancel()
		for d := json.NewDecoder(bufio.NewReader(out)); ; {
			var o T
			if err := d.Decode(&o); err != nil {
				return
			}
			if is(&o) {
				found <- time.Now()
				return
			}
		}
	}()
	return found
}
