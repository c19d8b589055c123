package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tally reads the lines that instances of testdata/apps/count have written, and counts what is missing, doubled or out of order.
type tally struct {
	mu    sync.Mutex
	last  map[string]int // the last line's number, by instance
	first map[string]int
	pod   map[string]string // the prefix that an instance's lines bear
	ended map[string]bool
	// newest is the last instance, by prefix; stubs are lines that are not whole, by instance.
	newest, stubs map[string]string

	wrong []mistake
	lines int
	// doubled is how often a line has come that is not behind the last.
	doubled int
}

// mistake is something about an instance's lines that is not as it should be.
type mistake struct {
	instance string
	from, to int // the lines between these two are missing, or something is wrong with the first
	text     string
}

func newTally() *tally {
	return &tally{last: map[string]int{}, first: map[string]int{}, pod: map[string]string{}, ended: map[string]bool{}, newest: map[string]string{}, stubs: map[string]string{}}
}

func (c *tally) read(r io.Reader) {
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			c.line(line)
		}
		if err != nil {
			return
		}
	}
}

// line takes one that reads: prefix instance number rest.
func (c *tally) line(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := bytes.Fields(line)
	if len(f) < 3 {
		c.stub(string(f[0]), line)
		return
	}
	instance := string(f[1])
	n, err := strconv.Atoi(string(f[2]))
	last, seen := c.last[instance]
	if seen && n != last+1 && len(f) == 3 { // a number that is cut
		c.stub(string(f[0]), line)
		return
	}
	if !seen {
		c.first[instance], c.pod[instance], last = n, string(f[0]), n-1
		c.newest[string(f[0])] = instance
	}
	if stub, ok := c.stubs[instance]; ok {
		c.complain(instance, last, 0, "%s, and then more", stub)
		delete(c.stubs, instance)
	}
	if err != nil || n != last+1 {
		c.complain(instance, last, n, "%s %s: %d after %d", f[0], instance, n, last)
		if n <= last {
			c.doubled++
		}
	}
	if c.ended[instance] {
		c.complain(instance, n, 0, "%s %s: %d after its end", f[0], instance, n)
	}
	c.last[instance] = n
	c.lines++
	if len(f) > 3 && string(f[3]) == "end" {
		c.ended[instance] = true
	}
}

// stub takes a line that is no whole one: the last of a container that was killed while it wrote.
func (c *tally) stub(pod string, line []byte) {
	instance := c.newest[pod]
	text := fmt.Sprintf("%q after %s %d", line, instance, c.last[instance])
	if c.ended[instance] || instance == "" {
		c.complain(instance, c.last[instance], 0, "%s", text)
	}
	c.stubs[instance] = text
}

func (c *tally) complain(instance string, from, to int, format string, args ...any) {
	c.wrong = append(c.wrong, mistake{instance, from, to, fmt.Sprintf(format, args...)})
}

// forgive takes for right what no reader of the API can have: lines that were written into a file after the next one was made, to which the kubelet goes
// on at once. The container runtime makes it first and leaves the old one then (containerd: ReopenContainerLog), on a busy machine
// 100 ms later.
func (c *tally) forgive(t testing.TB, kept *keptLogs) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = slices.DeleteFunc(c.wrong, func(m mistake) bool {
		late := m.to > m.from+1 && kept.wroteLate(m.instance, m.from+1, m.to-1)
		if late {
			t.Logf("%s: but these were written into a file after the next one was made", m.text)
		}
		return late
	})
}

// compare shows what the files have where something was wrong.
func (c *tally) compare(t testing.TB, kept *keptLogs) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.wrong[:min(len(c.wrong), 5)] {
		t.Logf("%s: the files have:\n%s", m.text, strings.Join(kept.records(m.instance, m.from, m.from+1, m.to-1, m.to), "\n"))
	}
}

// about are the lines of a text that name a pod of which something was wrong; all, where nothing was.
func (c *tally) about(text string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		names := func(m mistake) bool { return strings.Contains(line, c.pod[m.instance]) }
		return len(c.wrong) > 0 && !slices.ContainsFunc(c.wrong, names)
	})
}

// instances are how many have been seen, and how many of them have ended.
func (c *tally) instances() (seen, ended int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.last), len(c.ended)
}

// pods are those of which a line has been read.
func (c *tally) pods() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.pod))
}

// has reports whether an instance's line has been read.
func (c *tally) has(instance string, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[instance] >= n
}

// hasAll reports whether these lines have been read, and with them all before.
func (c *tally) hasAll(ends map[string]int) bool {
	for instance, n := range ends {
		if !c.has(instance, n) {
			return false
		}
	}
	return true
}

// cutShort takes these lines for the last ones of their instances, also where they do not say so.
func (c *tally) cutShort(ends map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for instance, n := range ends {
		if c.last[instance] >= n {
			c.ended[instance] = true
		}
	}
}

// check says what was wrong.
func (c *tally) check(t testing.TB) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for instance, n := range c.first {
		if n != 1 {
			c.complain(instance, n, 0, "%s %s: begins with %d", c.pod[instance], instance, n)
		}
		if !c.ended[instance] {
			c.complain(instance, c.last[instance], 0, "%s %s: stops after %d", c.pod[instance], instance, c.last[instance])
		}
	}
	t.Logf("%d lines of %d instances", c.lines, len(c.last))
	if len(c.wrong) > 0 {
		var texts []string
		for _, m := range c.wrong[:min(len(c.wrong), 20)] {
			texts = append(texts, m.text)
		}
		t.Errorf("%d lines are not as they should be:\n%s", len(c.wrong), strings.Join(texts, "\n"))
	}
}

// following is a norn logs -f that runs.
type following struct {
	cmd  *exec.Cmd
	err  bytes.Buffer
	read chan struct{}
	kept *keptLogs // what it is compared with where it fails, or nil
	*tally
}

// follow starts norn logs -f and counts its lines; through may slow its reader down.
func (b *bench) follow(through func(io.Reader) io.Reader, args ...string) *following {
	b.t.Helper()
	f := &following{cmd: b.command(b.kubeconfig, append([]string{"logs", "-f", "-v"}, args...)...), tally: newTally(), read: make(chan struct{})}
	f.cmd.Stderr = &f.err
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = f.cmd.Process.Kill()
		if b.t.Failed() {
			f.check(b.t)
			if f.kept != nil {
				f.compare(b.t, f.kept)
			}
			said := f.about(f.err.String())
			b.t.Logf("norn logs said last:\n%s", strings.Join(said[max(0, len(said)-100):], "\n"))
		}
	})
	go func() {
		defer close(f.read)
		f.tally.read(through(out))
	}()
	return f
}

// stop interrupts it, and checks that it ends at once and as it should.
func (f *following) stop(t testing.TB) {
	t.Helper()
	if err := f.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-f.read
	err := f.cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
		t.Errorf("interrupted: %v", err)
	}
	if warnings := regexp.MustCompile(`(?m)^Warning: .*(missing|cannot).*$`).FindAllString(f.err.String(), 5); len(warnings) > 0 {
		t.Logf("it warned, which it may where it cannot know:\n%s", strings.Join(warnings, "\n"))
	}
}

func plainly(r io.Reader) io.Reader { return r }

// counting is the infraspec of so many pods of testdata/apps/count.
func counting(pods, rate int) string {
	return fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {RATE: %d, LENGTH: 100}\n", pods, rate)
}

func (b *bench) restart() { b.kubectl("-n", b.namespace, "rollout", "restart", "deployment/count") }

func (b *bench) restarted() {
	b.kubectl("-n", b.namespace, "rollout", "status", "deployment/count", "--timeout=3m")
}

// The real thing: many pods that write as fast as they can, while they are restarted one after the other, the kubelet and the API server
// are killed, and the kubelet rotates the logs. Every line of every instance is there once and in order.
func TestEveryLineOnce(t *testing.T) {
	soak(t)
	b := newBench(t)
	pods, rate := number(os.Getenv("NORN_TEST_PODS"), 30), number(os.Getenv("NORN_TEST_RATE"), 0)
	dir := filepath.Dir(b.kubeconfig)
	logFiles(t, dir, "1Gi", "3s")
	b.app("count", counting(pods, rate))
	b.norn("forge", "count", "--image", b.countImage())
	kept := b.keepLogs()
	f := b.follow(plainly, "count")
	f.kept = kept
	seen := func(n int) func() bool {
		return func() bool { has, _ := f.instances(); return has >= n }
	}
	b.eventually(2*time.Minute, "all pods are followed", seen(pods))
	b.rotate(f)
	b.restart()
	b.eventually(2*time.Minute, "some new pods are followed", seen(pods+pods/3))
	b.rotate(f)
	killComponent(t, dir, "kubelet")
	b.restarted()
	b.eventually(time.Minute, "all new pods are followed", seen(2*pods))
	b.rotate(f)
	killComponent(t, dir, "kube-apiserver")
	b.eventually(time.Minute, "the API server is back", func() bool {
		return exec.Command(os.Getenv("NORN_TEST_KUBECTL"), "--kubeconfig", b.kubeconfig, "-n", b.namespace, "get", "pods").Run() == nil
	})
	b.restart()
	b.eventually(2*time.Minute, "some of the third pods are followed", seen(2*pods+pods/3))
	b.rotate(f)
	b.restarted()
	b.eventually(time.Minute, "the third pods are followed", seen(3*pods))
	b.rotateLogs(f.pods()) // and while streams are in the old files, all pods end
	b.kubectl("-n", b.namespace, "scale", "deployment/count", "--replicas=0")
	b.kubectl("-n", b.namespace, "wait", "pods", "--all", "--for=delete", "--timeout=2m")
	written := kept.ends()
	b.eventually(time.Minute, "every line that was written has come", func() bool { return f.hasAll(written) })
	f.stop(t)
	f.cutShort(written)
	f.forgive(t, kept)
	f.check(t)
	if len(written) != 3*pods {
		t.Errorf("%d instances have written, want %d", len(written), 3*pods)
	}
}

// rotate has all logs that are followed rotated at once, and waits until their streams have left the old files behind: a stream that breaks before cannot
// be whole, since the API has the new file only.
func (b *bench) rotate(f *following) {
	b.t.Helper()
	begin := time.Now()
	old := b.rotateLogs(f.pods())
	b.eventually(2*time.Minute, "the streams have come to the new logs", func() bool {
		for _, file := range old {
			if instance, n := lastLine(b.t, file); n > 0 && !f.has(instance, n+2) { // n+1 may be in both
				return false
			}
		}
		return true
	})
	b.t.Logf("%d logs rotated, the new ones reached after %s", len(old), time.Since(begin).Round(time.Millisecond))
}

// soak skips a test that takes the whole machine for minutes; make soak runs it.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("NORN_TEST_SOAK") == "" {
		t.Skip("run make soak")
	}
}

// While the kubelet rotates the logs, a stream goes on in the new file: of pods that write steadily every few seconds, and once of pods
// that write as fast as they can, whose streams are behind by then. (A stream that is behind by more than one rotation cannot be whole: the
// kubelet reads only the newest file.)
func TestEveryLineOnceThroughRotations(t *testing.T) {
	for _, c := range []struct {
		name        string
		pods, rate  int
		size, every string
		times       int
	}{
		{"steady", 5, 1000, "400Ki", "3s", 4},
		{"full speed", 8, 0, "1Mi", "30s", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.rate == 0 {
				soak(t)
			}
			b := newBench(t)
			image := b.countImage()
			logFiles(t, filepath.Dir(b.kubeconfig), c.size, c.every)
			// The first line comes when its reader is there: what is rotated before nobody can read.
			b.app("count", strings.Replace(counting(c.pods, c.rate), "env: {", "env: {START: 5, ", 1))
			b.norn("forge", "count", "--image", image)
			kept := b.keepLogs()
			f := b.follow(plainly, "count")
			f.kept = kept
			b.eventually(time.Minute, "every log was rotated", func() bool { return b.rotations("count") >= c.times*c.pods })
			b.kubectl("-n", b.namespace, "scale", "deployment/count", "--replicas=0")
			b.kubectl("-n", b.namespace, "wait", "pods", "--all", "--for=delete", "--timeout=2m")
			written := kept.ends()
			b.eventually(time.Minute, "every line that was written has come", func() bool { return f.hasAll(written) })
			f.stop(t)
			f.cutShort(written)
			f.forgive(t, kept)
			f.check(t)
		})
	}
}

// A slow reader of stdout slows the streams down, and loses nothing; norn does not hold what it has not read.
func TestSlowReaderLosesNothing(t *testing.T) {
	b := newBench(t)
	logFiles(t, filepath.Dir(b.kubeconfig), "1Gi", "10s")
	const pods, lines = 4, 50_000
	b.app("count", fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {LINES: %d, LENGTH: 200}\n", pods, lines))
	b.norn("forge", "count", "--image", b.countImage())
	slow := func(r io.Reader) io.Reader { return &slowly{r: r, until: 2 * time.Second} }
	f := b.follow(slow, "count")
	b.eventually(time.Minute, "all lines have come", func() bool { _, ended := f.instances(); return ended == pods })
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if peak == nil || number(string(peak[1]), 1<<30) > 150<<10 {
		t.Errorf("peak memory %q kB for %d MB of lines", peak, pods*lines*250>>20)
	}
	f.stop(t)
	f.check(t)
}

// slowly reads little at first, and then as fast as it can.
type slowly struct {
	r     io.Reader
	until time.Duration
	begin time.Time
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.begin.IsZero() {
		s.begin = time.Now()
	}
	if time.Since(s.begin) < s.until {
		time.Sleep(10 * time.Millisecond)
		p = p[:min(len(p), 1000)]
	}
	return s.r.Read(p)
}

// A pipe that is closed ends it at once, with exit code 0 and without a word.
func TestLogsIntoAClosedPipe(t *testing.T) {
	b := newBench(t)
	b.app("count", counting(1, 50))
	b.norn("forge", "count", "--image", b.countImage())
	for _, args := range [][]string{{"logs", "-f", "count"}, {"logs", "count"}} {
		cmd := b.command(b.kubeconfig, args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		b.eventually(time.Minute, "there is a log", func() bool {
			lines, _ := b.command(b.kubeconfig, "logs", "count").Output()
			return bytes.Count(lines, []byte("\n")) > 100
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(out, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || said.Len() > 0 {
			t.Errorf("norn %v: %v: %s", args, err, said.String())
		}
	}
}

// An instance that ends is followed by the next: the new one's lines after the old one's last.
func TestRestartedContainers(t *testing.T) {
	b := newBench(t)
	pods := number(os.Getenv("NORN_TEST_PODS"), 1)
	b.app("count", fmt.Sprintf("app: count\nrole: worker\nreplicas: %d\nenv: {LINES: 2000, RATE: 2000, EXIT: 3}\n", pods))
	b.norn("forge", "count", "--image", b.countImage())
	kept := b.keepLogs()
	f := b.follow(plainly, "count")
	f.kept = kept
	b.eventually(4*time.Minute, "three instances have ended", func() bool { _, ended := f.instances(); return ended >= 3*pods })
	f.stop(t)
	f.check(t)
	if said := f.err.String(); !strings.Contains(said, "container count ended with exit code 3") {
		t.Errorf("it said %s", said)
	}
	// Just after an instance has ended, the kubelet may have deleted the log that the pod's status still names.
	b.eventually(time.Minute, "--previous shows an end", func() bool {
		out, err := b.command(b.kubeconfig, "logs", "count", "--previous", "--tail", "1").Output()
		return err == nil && bytes.HasSuffix(out, []byte(" 2001 end\n"))
	})
}

// From the end on means the next line and all that follow, also where the API server goes away before there is one.
func TestTailFromTheEnd(t *testing.T) {
	b := newBench(t)
	b.app("count", "app: count\nrole: worker\nenv: {RATE: 5, LENGTH: 20}\n")
	b.norn("forge", "count", "--image", b.countImage())
	b.eventually(time.Minute, "there is a log", func() bool {
		lines, _ := b.command(b.kubeconfig, "logs", "count").Output()
		return bytes.Count(lines, []byte("\n")) > 20
	})
	f := b.follow(plainly, "count", "--tail", "0")
	b.eventually(time.Minute, "a line has come", func() bool { n, _ := f.instances(); return n == 1 })
	killComponent(t, filepath.Dir(b.kubeconfig), "kube-apiserver")
	at := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.lines }
	before := at()
	b.eventually(time.Minute, "it goes on", func() bool { return at() > before+10 })
	f.stop(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	for instance, first := range f.first {
		if first < 15 || len(f.wrong) > 0 {
			t.Errorf("%s begins with %d: %v", instance, first, f.wrong)
		}
	}
}

// A reader of stdout that stands still, while the log is rotated twice: the kubelet skips the file in between, which norn tells, and sends the newest one
// twice, which norn does not.
func TestReaderThatStandsStill(t *testing.T) {
	b := newBench(t)
	logFiles(t, filepath.Dir(b.kubeconfig), "1Gi", "10s")
	b.app("count", "app: count\nrole: worker\nenv: {RATE: 2000, LENGTH: 10000}\n")
	b.norn("forge", "count", "--image", b.countImage())
	kept := b.keepLogs()
	g := &gate{open: make(chan struct{})}
	close(g.open)
	f := b.follow(func(r io.Reader) io.Reader { g.r = r; return g }, "count")
	b.eventually(time.Minute, "it is followed", func() bool { seen, _ := f.instances(); return seen == 1 })
	lines := func() int {
		for _, n := range kept.ends() {
			return n
		}
		return 0
	}
	grown := func(by int) {
		from := lines()
		b.eventually(time.Minute, "the log has grown", func() bool { return lines() > from+by })
	}
	again := g.shut()
	grown(8000) // 80 MB: what is on the way is full
	b.rotateLogs(f.pods())
	grown(100)
	b.rotateLogs(f.pods())
	grown(100)
	again()
	for range 2 { // what is written now comes behind what came again
		for instance, n := range kept.ends() {
			b.eventually(time.Minute, "it has caught up", func() bool { return f.has(instance, n+100) })
		}
	}
	b.kubectl("-n", b.namespace, "scale", "deployment/count", "--replicas=0")
	b.eventually(time.Minute, "it has ended", func() bool { _, ended := f.instances(); return ended == 1 })
	f.stop(t)
	if f.doubled > 0 || len(f.wrong) == 0 {
		t.Errorf("want a gap and no line twice: %.300v", f.wrong)
	}
	if said := f.err.String(); !strings.Contains(said, "its log was rotated more than once before it was read") {
		t.Errorf("it said %s", said)
	}
}

// gate is a reader that can be shut for a while.
type gate struct {
	r    io.Reader
	mu   sync.Mutex
	open chan struct{}
}

// shut lets nothing through until the function it returns is called.
func (g *gate) shut() (again func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	open := make(chan struct{})
	g.open = open
	return func() { close(open) }
}

// Read implements io.Reader.
func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	<-open
	return g.r.Read(p)
}
