package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"norn/test/bed"
)

// copiesOf names a variable with which the test binary copies log streams instead of running tests. The value is a
// JSON list of the streams' paths.
const copiesOf = "NORN_BENCH_COPIES"

// copies copies log streams concurrently to stdout. No log reader can be faster.
func copies(paths, kubeconfig string) error {
	var list []string
	if err := json.Unmarshal([]byte(paths), &list); err != nil {
		return err
	}
	target, transport, err := bed.API(kubeconfig)
	if err != nil {
		return err
	}
	transport.ForceAttemptHTTP2 = false
	errs := make(chan error, len(list))
	var out sync.Mutex
	for _, path := range list {
		go func() {
			resp, err := (&http.Client{Transport: transport}).Get(target.String() + path)
			if err == nil {
				to, from := &lockedWriter{to: os.Stdout, mu: &out}, struct{ io.Reader }{resp.Body}
				_, err = io.CopyBuffer(to, from, make([]byte, 32<<10))
				_ = resp.Body.Close()
			}
			errs <- err
		}()
	}
	for range list {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// lockedWriter writes with a lock held.
type lockedWriter struct {
	to io.Writer
	mu *sync.Mutex
}

func (b *lockedWriter) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.to.Write(p)
}

// logReader is a tool that shows the logs of all pods.
type logReader struct {
	name   string
	prefix int // number of fields before the line; -1 if the output mixes lines of several Pods
	cmd    func(follow bool) *exec.Cmd
}

// reading is the measurement of one run.
type reading struct {
	wall, cpu time.Duration
	peak      int64 // KB
	lost      int
	doubled   int
}

// best returns the shorter times and the higher counts of both readings.
func (m reading) best(n reading) reading {
	if m.wall == 0 {
		return n
	}
	return reading{
		min(m.wall, n.wall), min(m.cpu, n.cpu), max(m.peak, n.peak), max(m.lost, n.lost), max(m.doubled, n.doubled),
	}
}

// BenchmarkLogs measures norn logs, stern, kubectl logs and raw copies of the streams, without and with follow. It
// counts lost and repeated lines. Run it with make bench-logs.
func BenchmarkLogs(b *testing.B) {
	stern := os.Getenv("NORN_BENCH_STERN")
	if stern == "" {
		b.Skip("no other tools: run make bench-logs")
	}
	bed.Shared(b).SetLogRotation(b, "10Gi", "10s")
	lines := number(os.Getenv("NORN_BENCH_LINES"), 200_000)
	for _, text := range strings.Split(os.Getenv("NORN_BENCH_PODS"), ",") {
		benchmarkPods(&world{bed.New(b, bed.Shared(b))}, stern, number(text, 8), lines)
	}
}

func number(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fallback
	}
	return n
}

func benchmarkPods(w *world, stern string, pods, lines int) {
	const infraspec = "app: count\nrole: worker\nreplicas: %d\nenv: {LINES: %d, LENGTH: 100}\n"
	w.WriteApp("count", fmt.Sprintf(infraspec, pods, lines))
	w.Norn("forge", "count", "--image", w.Image(w.T, "count", nil))
	bed.Eventually(w.T, 10*time.Minute, "all lines are written", func() bool {
		out, _ := w.Command(w.Kubeconfig, "logs", "count", "--tail", "1").Output()
		return bytes.Count(out, []byte(" end\n")) == pods
	})
	for _, follow := range []bool{false, true} {
		took := map[string]reading{}
		// The best round counts, because other work on the machine only makes rounds slower.
		for range number(os.Getenv("NORN_BENCH_ROUNDS"), 3) {
			for _, r := range w.readers(stern) {
				took[r.name] = took[r.name].best(w.measure(r, follow, pods, lines))
			}
		}
		for _, r := range w.readers(stern) {
			m := took[r.name]
			fmt.Printf("%2d pods × %d lines, follow %-5v  %-10s %6.2f s wall %6.2f s CPU %4d MB peak  %d lost %d doubled\n",
				pods, lines, follow, r.name, m.wall.Seconds(), m.cpu.Seconds(), m.peak>>10, m.lost, m.doubled)
		}
		fmt.Printf("%2d pods, follow %v: norn takes %.2f of the wall time of raw copies (%.2f with timestamps) "+
			"and %.2f of stern's CPU time\n", pods, follow, ratio(took["norn"].wall, took["raw copies"].wall),
			ratio(took["norn"].wall, took["with times"].wall), ratio(took["norn"].cpu, took["stern"].cpu))
	}
	few := w.measure(logReader{"norn", 1, func(bool) *exec.Cmd {
		return w.Command(w.Kubeconfig, "logs", "count", "--tail", strconv.Itoa(lines/10))
	}}, false, pods, lines/10)
	fmt.Printf("%2d pods: norn's peak at a tenth of the lines: %d MB\n", pods, few.peak>>10)
	w.Kubectl("delete", "deployment", "count", "--wait=true")
}

func (b *world) readers(stern string) []logReader {
	return []logReader{
		{"raw copies", -1, func(follow bool) *exec.Cmd { return b.copies(follow, false) }},
		// Readers that resume or merge streams need timestamps.
		{"with times", -1, func(follow bool) *exec.Cmd { return b.copies(follow, true) }},
		{"norn", 1, func(follow bool) *exec.Cmd {
			return b.Command(b.Kubeconfig, "logs", "count", fmt.Sprintf("--follow=%v", follow))
		}},
		{"stern", 2, func(follow bool) *exec.Cmd {
			return b.Tool(b.Kubeconfig, stern, "-n", b.Namespace, "-l", "app=count", "--color", "never",
				"--max-log-requests", "100", fmt.Sprintf("--no-follow=%v", !follow))
		}},
		{"kubectl", 1, func(follow bool) *exec.Cmd {
			return b.KubectlCommand("logs", "-l", "app=count", "--prefix", "--tail=-1",
				"--max-log-requests", "100", fmt.Sprintf("--follow=%v", follow))
		}},
	}
}

// copies returns a command that copies the logs of all pods in the namespace.
func (b *world) copies(follow, timestamps bool) *exec.Cmd {
	b.T.Helper()
	var paths []string
	for _, name := range strings.Fields(b.Kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.name}")) {
		paths = append(paths, fmt.Sprintf("/api/v1/namespaces/%s/pods/%s/log?follow=%v&timestamps=%v",
			b.Namespace, name, follow, timestamps))
	}
	list, err := json.Marshal(paths)
	if err != nil {
		b.T.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		b.T.Fatal(err)
	}
	cmd := b.Tool(b.Kubeconfig, self)
	cmd.Env = append(cmd.Env, copiesOf+"="+string(list))
	return cmd
}

// measure runs a reader until it ends. If it follows, measure interrupts it after the last line.
func (b *world) measure(r logReader, follow bool, pods, lines int) reading {
	b.T.Helper()
	file, err := os.CreateTemp(b.T.TempDir(), "log-*")
	if err != nil {
		b.T.Fatal(err)
	}
	defer func() { _ = os.Remove(file.Name()) }()
	cmd := r.cmd(follow)
	cmd.Stdout = file
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.T.Fatal(err)
	}
	var m reading
	if follow {
		b.untilWritten(file.Name(), pods)
		m.wall = time.Since(begin)
		_ = cmd.Process.Signal(syscall.SIGINT)
	}
	_ = cmd.Wait() // an interrupted reader may have any exit code
	if !follow {
		m.wall = time.Since(begin)
	}
	m.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		m.peak = usage.Maxrss
	}
	m.lost, m.doubled = missing(b.T, file.Name(), r.prefix, pods, lines)
	return m
}

// untilWritten waits until a file contains the last line of each pod.
func (b *world) untilWritten(path string, pods int) {
	b.T.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.T.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	ended, tail := 0, []byte(nil)
	buf := make([]byte, 1<<20)
	for deadline := time.Now().Add(10 * time.Minute); ended < pods; {
		n, err := file.Read(buf)
		window := append(tail, buf[:n]...) //nolint:gocritic // a sliding window on the file
		ended += bytes.Count(window, []byte(" end\n"))
		tail = append([]byte(nil), window[max(0, len(window)-len(" end")):]...)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
		}
		if time.Now().After(deadline) {
			b.T.Fatalf("only %d of %d logs are complete", ended, pods)
		}
	}
}

// missing counts lost and repeated lines. For mixed streams, it can only compare the number of lines.
func missing(t testing.TB, path string, prefix, pods, lines int) (lost, doubled int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	seen := map[string][]bool{}
	total := 0
	in := bufio.NewScanner(file)
	for in.Scan() {
		total++
		f := bytes.Fields(in.Bytes())
		if prefix < 0 || len(f) < prefix+2 {
			continue
		}
		n, err := strconv.Atoi(string(f[prefix+1]))
		if err != nil {
			continue
		}
		of := seen[string(f[prefix])]
		for n >= len(of) {
			of = append(of, make([]bool, lines)...)
		}
		seen[string(f[prefix])] = of
		if of[n] {
			doubled++
		}
		of[n] = true
	}
	if prefix < 0 {
		return pods*(lines+1) - total, 0
	}
	return pods*(lines+1) - (total - doubled), doubled
}
