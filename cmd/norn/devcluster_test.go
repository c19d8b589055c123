package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killComponent ends a component of the devcluster in dir, which its supervisor starts again.
func killComponent(t testing.TB, dir, name string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !kill(t, dir, name); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) { // it may just be being started again
			t.Fatalf("no %s found to kill", name)
		}
	}
}

func kill(t testing.TB, dir, name string) bool {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range commands {
		data, err := os.ReadFile(path)
		if err != nil || !strings.Contains("\x00"+string(data), "\x00"+name+"\x00--") || !strings.Contains(string(data), dir) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(path, "/proc/%d/cmdline", &pid); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		return true
	}
	return false
}

// logFiles sets how large a container's log grows before the kubelet rotates it, and how often it looks, until the test ends. The kubelet
// reads its configuration when it starts: it is killed, and started again by the devcluster's supervisor.
func logFiles(t testing.TB, dir, size, every string) {
	t.Helper()
	path := filepath.Join(dir, "kubelet.yaml")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		killComponent(t, dir, "kubelet")
	}
	set(fmt.Sprintf("%scontainerLogMaxSize: %s\ncontainerLogMonitorInterval: %s\n", before, size, every))
	t.Cleanup(func() { set(string(before)) })
}

// rotateLogs has the logs of these pods' running containers rotated now, and returns the old files.
func (b *bench) rotateLogs(pods []string) []string {
	b.t.Helper()
	devcluster := filepath.Join(filepath.Dir(os.Getenv("NORN_TEST_KUBECTL")), "devcluster")
	args := append([]string{"rotate", "--dir", filepath.Dir(b.kubeconfig), "--namespace", b.namespace}, pods...)
	out, err := exec.Command(devcluster, args...).Output()
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// countImage builds the image of testdata/apps/count from the binary that hack/sessions has built, and pushes it to the devcluster's registry.
func (b *bench) countImage() string {
	b.t.Helper()
	const app = "count"
	dir := b.t.TempDir()
	for to, from := range map[string]string{
		app:          filepath.Join(os.Getenv("NORN_TEST_BINARIES"), app),
		"Dockerfile": filepath.Join("..", "..", "testdata", "apps", app, "Dockerfile"),
	} {
		data, err := os.ReadFile(from)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
	ref := os.Getenv("NORN_TEST_REGISTRY") + "/" + app + ":" + b.namespace
	for _, args := range [][]string{{"build", "--quiet", "--tag", ref, dir}, {"push", "--quiet", "--tls-verify=false", ref, "docker://" + ref}} {
		cmd := exec.Command("buildah", args...)
		cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot", "STORAGE_DRIVER=vfs")
		must(b.t, cmd)
	}
	return ref
}

// eventually waits until a condition holds.
func (b *bench) eventually(within time.Duration, what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(within); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("never: %s", what)
		}
	}
}

// rotated matches the time that the kubelet puts into the name of a log file when it rotates it.
var rotated = regexp.MustCompile(`\.log\.(\d{8}-\d{6})`)

// rotations counts how often the kubelet has rotated a log of the namespace's pods whose name begins so, as far as it can be
// seen from the files that are there: each call remembers what it has seen.
func (b *bench) rotations(pod string) int {
	b.t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(b.kubeconfig), "var-log", "pods", b.namespace+"_"+pod+"*", "*", "*.log.*"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, file := range files {
		if at := rotated.FindStringSubmatch(file); at != nil {
			b.rotated[filepath.Dir(file)+at[1]] = true
		}
	}
	return len(b.rotated)
}
