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

// tally reads the lines of instances of testdata/apps/count and finds missing, repeated and misplaced lines.
type tally struct {
	mu     sync.Mutex
	last   map[string]int    // number of the last line, by instance
	first  map[string]int    // number of the first line, by instance
	pod    map[string]string // prefix of the lines, by instance
	ended  map[string]bool   // by instance
	newest map[string]string // last instance, by prefix
	cut    map[string]string // description of an unfinished line, by instance

	wrong   []mistake
	lines   int
	doubled int // number of repeated lines
}

// mistake is an error in the lines of an instance.
type mistake struct {
	instance string
	from, to int // the lines in between are missing; if to is 0, line from is wrong
	text     string
}

func newTally() *tally {
	return &tally{
		last: map[string]int{}, first: map[string]int{}, pod: map[string]string{}, ended: map[string]bool{},
		newest: map[string]string{}, cut: map[string]string{},
	}
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

// line counts a line of the form: prefix instance number rest.
func (c *tally) line(line []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := bytes.Fields(line)
	if len(f) < 3 {
		c.cutLine(string(f[0]), line)
		return
	}
	instance := string(f[1])
	n, err := strconv.Atoi(string(f[2]))
	last, seen := c.last[instance]
	if seen && n != last+1 && len(f) == 3 { // the number is truncated
		c.cutLine(string(f[0]), line)
		return
	}
	if !seen {
		c.first[instance], c.pod[instance], last = n, string(f[0]), n-1
		c.newest[string(f[0])] = instance
	}
	if text, ok := c.cut[instance]; ok {
		c.complain(instance, last, 0, "%s, followed by more lines", text)
		delete(c.cut, instance)
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

// cutLine counts an unfinished line: the last line of a container that was killed during a write.
func (c *tally) cutLine(pod string, line []byte) {
	instance := c.newest[pod]
	text := fmt.Sprintf("%q after %s %d", line, instance, c.last[instance])
	if c.ended[instance] || instance == "" {
		c.complain(instance, c.last[instance], 0, "%s", text)
	}
	c.cut[instance] = text
}

func (c *tally) complain(instance string, from, to int, format string, args ...any) {
	c.wrong = append(c.wrong, mistake{instance, from, to, fmt.Sprintf(format, args...)})
}

// forgive drops mistakes that no client of the API can avoid: lines that were written to a file after the creation of
// the next file. The kubelet switches to the next file at once. The container runtime creates it before it leaves the
// old file (containerd: ReopenContainerLog), 100 ms earlier on a busy machine.
func (c *tally) forgive(t testing.TB, kept *keptLogs) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = slices.DeleteFunc(c.wrong, func(m mistake) bool {
		late := m.to > m.from+1 && kept.wroteLate(m.instance, m.from+1, m.to-1)
		if late {
			t.Logf("%s: ignored, since these lines were written to a file after the next one was created", m.text)
		}
		return late
	})
}

// compare logs the lines of the kept files that belong to the first mistakes.
func (c *tally) compare(t testing.TB, kept *keptLogs) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.wrong[:min(len(c.wrong), 5)] {
		records := kept.records(m.instance, m.from, m.from+1, m.to-1, m.to)
		t.Logf("%s: lines in the files:\n%s", m.text, strings.Join(records, "\n"))
	}
}

// about returns the lines of text that name a Pod with a mistake. Without mistakes, it returns all lines.
func (c *tally) about(text string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		names := func(m mistake) bool { return strings.Contains(line, c.pod[m.instance]) }
		return len(c.wrong) > 0 && !slices.ContainsFunc(c.wrong, names)
	})
}

// instances returns the number of instances seen and of instances that have ended.
func (c *tally) instances() (seen, ended int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.last), len(c.ended)
}

// pods returns the Pods with at least one line.
func (c *tally) pods() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Values(c.pod))
}

// has reports whether an instance's line n has been read.
func (c *tally) has(instance string, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last[instance] >= n
}

// hasAll reports whether the given last lines have been read. ends maps instances to line numbers.
func (c *tally) hasAll(ends map[string]int) bool {
	for instance, n := range ends {
		if !c.has(instance, n) {
			return false
		}
	}
	return true
}

// cutShort marks instances as ended if the given last lines have been read, even without an end mark.
func (c *tally) cutShort(ends map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for instance, n := range ends {
		if c.last[instance] >= n {
			c.ended[instance] = true
		}
	}
}

// check reports the mistakes.
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
		t.Errorf("%d lines are wrong:\n%s", len(c.wrong), strings.Join(texts, "\n"))
	}
}
