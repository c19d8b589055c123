// Package bench compares norn with other tools.
package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"norn/test/bed"

	corev1 "k8s.io/api/core/v1"
)

func TestMain(m *testing.M) {
	if paths := os.Getenv(copiesOf); paths != "" {
		if err := copies(paths, os.Getenv("KUBECONFIG")); err != nil {
			log.Fatal(err)
		}
		return
	}
	bed.Main(m)
}

// world is a workspace for measurements.
type world struct{ *bed.Workspace }

// deployTimeout is the timeout of each tool for a rollout.
const deployTimeout = 30 * time.Second

// BenchmarkDeploy measures how long norn deploy, kubectl rollout status and helm upgrade --wait take to end after the
// kubelet first reports a failing state. The states are a bad image and a crash loop. It also measures how long norn
// deploy takes to end after a good rollout is complete. Run it with make bench-deploy.
func BenchmarkDeploy(b *testing.B) {
	helm := os.Getenv("NORN_BENCH_HELM")
	if helm == "" {
		b.Skip("no other tools: run make bench-deploy")
	}
	w := &world{bed.New(b, bed.Shared(b))}
	good := w.MoodyImage(b, "serve")
	bad := map[string]string{"bad image": w.Registry + "/moody:nope", "crash loop": w.MoodyImage(b, "exit 3")}
	w.WriteApp("moody", "app: moody\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nenv: {PORT: \"8080\"}\n")
	release := func(image string) *exec.Cmd {
		return w.Tool(w.Kubeconfig, helm, "-n", w.Namespace, "upgrade", "--install", "moody", w.chart(),
			"--set", "image="+image, "--wait", "--timeout", deployTimeout.String())
	}
	clean := func() { w.Kubectl("delete", "deployments,secrets", "--all", "--cascade=foreground") }
	forged := func() { clean(); w.Norn("forge", "moody"); w.Norn("deploy", "moody", "--image", good) }
	tools := []struct {
		name    string
		prepare func()
		run     func(image string) *exec.Cmd // makes the change and waits for the rollout
	}{
		{"norn deploy", forged, func(image string) *exec.Cmd {
			return w.Command(w.Kubeconfig, "deploy", "moody", "--image", image, "--no-rollback",
				"--timeout", deployTimeout.String())
		}},
		{"kubectl rollout status", forged, func(image string) *exec.Cmd {
			bed.Run(b, w.KubectlCommand("set", "image", "deployment/moody", "moody="+image))
			return w.KubectlCommand("rollout", "status", "deployment/moody", "--timeout", deployTimeout.String())
		}},
		{"helm upgrade --wait", func() { clean(); bed.Run(b, release(good)) }, release},
	}
	for _, failure := range []string{"bad image", "crash loop"} {
		for _, tool := range tools {
			tool.prepare()
			reported := w.firstReport(failure)
			out, err := tool.run(bad[failure]).CombinedOutput()
			ended := time.Now()
			if err == nil {
				b.Fatalf("%s succeeded:\n%s", tool.name, out)
			}
			fmt.Printf("%-10s %-24s ended %6.2f s after the kubelet's first report\n",
				failure, tool.name, ended.Sub(<-reported).Seconds())
		}
	}
	forged()
	for range 5 {
		complete := w.complete()
		bed.Run(b, w.Command(w.Kubeconfig, "deploy", "moody", "--image", good, "--force"))
		ended := time.Now()
		fmt.Printf("%-10s %-24s ended %6.0f ms after the rollout was complete\n",
			"good", "norn deploy", float64(ended.Sub(<-complete).Microseconds())/1000)
	}
}

// chart writes a helm chart with norn's Deployment and returns its path.
func (b *world) chart() string {
	b.T.Helper()
	dir := filepath.Join(b.Home, "chart")
	if err := os.MkdirAll(filepath.Join(dir, "templates"), 0o755); err != nil {
		b.T.Fatal(err)
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
	files := map[string]string{
		"Chart.yaml": "apiVersion: v2\nname: moody\nversion: 1.0.0\n", "templates/all.yaml": deployment,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.T.Fatal(err)
		}
	}
	return dir
}

// firstReport returns the time at which the kubelet first reports the failing state: it cannot pull an image, or the
// container has ended twice.
func (b *world) firstReport(failure string) <-chan time.Time {
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

// complete returns the time at which the old Pod has ended, which happens after the new Pod is available.
func (b *world) complete() <-chan time.Time {
	alive := map[string]bool{} // by Pod, because the Pod of an even older version may still exist
	return b.firstPod(func(event string, p *corev1.Pod) bool {
		alive[p.Name] = alive[p.Name] || p.Status.Phase == corev1.PodRunning
		ended := event == "DELETED" || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		return alive[p.Name] && ended
	})
}

// firstPod returns the time at which kubectl's watch first shows a pod that matches.
func (b *world) firstPod(matches func(event string, p *corev1.Pod) bool) <-chan time.Time {
	cmd := b.KubectlCommand("get", "pods", "-l", "app=moody", "-o", "json", "--watch", "--output-watch-events")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.T.Fatal(err)
	}
	found, begun := make(chan time.Time, 1), make(chan struct{})
	var once sync.Once
	go func() {
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		for d := json.NewDecoder(bufio.NewReader(out)); ; {
			var e struct {
				Type   string
				Object corev1.Pod
			}
			if err := d.Decode(&e); err != nil {
				return
			}
			once.Do(func() { close(begun) })
			if matches(e.Type, &e.Object) {
				found <- time.Now()
				return
			}
		}
	}()
	<-begun
	return found
}
