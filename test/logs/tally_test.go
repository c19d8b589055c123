package logs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
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
