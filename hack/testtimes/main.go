// Command testtimes records the events of go test -json and compares the times of tests with budgets.
//
//	testtimes show RECORD           adds the events on stdin to RECORD, and prints what go test prints for them
//	testtimes check BUDGETS RECORD  fails if a test has taken longer than its budget
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
)

// event is an event of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

func main() {
	log.SetFlags(0)
	if len(os.Args) == 3 && os.Args[1] == "show" {
		if err := record(os.Stdin, os.Args[2], os.Stdout); err != nil {
			log.Fatalf("Error: %v", err)
		}
		return
	}
	if len(os.Args) == 4 && os.Args[1] == "check" {
		if err := check(os.Args[2], os.Args[3], os.Stdout); err != nil {
			log.Fatalf("Error: %v", err)
		}
		return
	}
	log.Fatal("usage: testtimes show RECORD <EVENTS | testtimes check BUDGETS RECORD")
}

// record adds events to the file at path and shows them.
func record(events io.Reader, path string, out io.Writer) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return show(io.TeeReader(events, file), out)
}

// show prints what go test prints for events. It prints nothing for tests that pass.
func show(events io.Reader, out io.Writer) error {
	output := map[string]string{} // by package and test
	return each(events, func(e event) error {
		key := e.Package + " " + e.Test
		switch {
		case e.Action == "output" && e.Test == "" || e.Action == "build-output":
			if e.Output == "PASS\n" {
				return nil
			}
			_, err := io.WriteString(out, e.Output)
			return err
		case e.Action == "output":
			output[key] += e.Output
		case e.Action == "fail":
			_, err := io.WriteString(out, output[key])
			return err
		case e.Action == "pass" || e.Action == "skip":
			delete(output, key)
		}
		return nil
	})
}

// each calls do for each event. A line that is not an event, such as an error of go test, becomes an output event.
func each(events io.Reader, do func(event) error) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			e := event{Action: "output", Output: line}
			_ = json.Unmarshal([]byte(line), &e)
			if err := do(e); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// budgets are seconds by kind/test/subtest. A test without a budget has the budget of its parent test or its kind, or
// else the default.
type budgets map[string]float64

// of returns a test's budget.
func (b budgets) of(test string) float64 {
	for name := test; name != ""; name, _ = parent(name) {
		if seconds, ok := b[name]; ok {
			return seconds
		}
	}
	return b["default"]
}

// parent returns the test or the kind that a test belongs to.
func parent(test string) (name string, ok bool) {
	i := strings.LastIndexByte(test, '/')
	return test[:max(i, 0)], i > 0
}

// readBudgets reads a file of lines with a test and its seconds.
func readBudgets(path string) (budgets, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b := budgets{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		seconds, err := strconv.ParseFloat(words[len(words)-1], 64)
		if err != nil || len(words) < 2 {
			return nil, fmt.Errorf("%s: invalid line %q: want a test and its seconds", path, strings.TrimSpace(line))
		}
		b[strings.Join(words[:len(words)-1], " ")] = seconds
	}
	if b["default"] == 0 {
		return nil, fmt.Errorf("%s: no default budget", path)
	}
	return b, nil
}

// timed is a test with its time.
type timed struct {
	test    string
	seconds float64
}

// check compares the times in a record with the budgets, and prints the slowest tests.
func check(table, path string, out io.Writer) error {
	allowed, err := readBudgets(table)
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	tests, err := times(file)
	if err != nil {
		return err
	}
	over := 0
	for i, t := range tests {
		budget := allowed.of(t.test)
		late := t.seconds > budget
		if late {
			over++
		}
		if i < 10 || late {
			_, _ = fmt.Fprintf(out, "%7.1f s of %3.0f s  %s\n", t.seconds, budget, t.test)
		}
	}
	if len(tests) == 0 {
		return fmt.Errorf("no tests in %s", path)
	}
	if over > 0 {
		return fmt.Errorf("%d of %d tests took longer than their budgets in %s", over, len(tests), table)
	}
	return nil
}

// times returns the tests that have passed or failed, the slowest first. It omits tests with subtests.
func times(events io.Reader) ([]timed, error) {
	took, parents := map[string]float64{}, map[string]bool{}
	err := each(events, func(e event) error {
		if e.Test == "" || e.Action != "pass" && e.Action != "fail" {
			return nil
		}
		test := e.Package[strings.LastIndex(e.Package, "/")+1:] + "/" + e.Test
		took[test] = e.Elapsed
		for name, ok := parent(test); ok; name, ok = parent(name) {
			parents[name] = true
		}
		return nil
	})
	var out []timed
	for test, seconds := range took {
		if !parents[test] {
			out = append(out, timed{test, seconds})
		}
	}
	slices.SortFunc(out, func(a, b timed) int {
		return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(a.test, b.test))
	})
	return out, err
}
