package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const events = `{"Action":"start","Package":"norn/test/x"}
{"Action":"output","Package":"norn/test/x","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"output","Package":"norn/test/x","Test":"TestA","Output":"a says\n"}
{"Action":"output","Package":"norn/test/x","Test":"TestA/one","Output":"one says\n"}
{"Action":"pass","Package":"norn/test/x","Test":"TestA/one","Elapsed":9}
{"Action":"pass","Package":"norn/test/x","Test":"TestA","Elapsed":9.5}
{"Action":"output","Package":"norn/test/x","Test":"TestB","Output":"b says\n"}
{"Action":"fail","Package":"norn/test/x","Test":"TestB","Elapsed":70}
{"Action":"output","Package":"norn/test/x","Output":"FAIL\n"}
{"Action":"output","Package":"norn/test/x","Output":"FAIL\tnorn/test/x\t80s\n"}
{"Action":"fail","Package":"norn/test/x","Elapsed":80}
no event
`

// show prints what go test prints: the output of failed tests, and the packages.
func TestShow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record")
	var out bytes.Buffer
	if err := record(strings.NewReader(events), path, &out); err != nil {
		t.Fatal(err)
	}
	if want := "b says\nFAIL\nFAIL\tnorn/test/x\t80s\nno event\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != events {
		t.Errorf("recorded %q, %v", text, err)
	}
}

// A test over its budget fails the check. The time of a test with subtests does not count.
func TestCheck(t *testing.T) {
	for table, want := range map[string]string{
		"default 100":                      "",
		"default 60 # seconds":             "1 of 2 tests",
		"default 60\nx/TestB 80":           "",
		"default 5\nx/TestB 80":            "1 of 2 tests",
		"default 5\nx/TestA/one 9\n":       "1 of 2 tests",
		"default 5\nx/TestA 9\nx 80":       "",
		"default 5\nx/TestA 8\nx 80":       "1 of 2 tests",
		"x/TestB 80":                       "no default budget",
		"default":                          "want a test and its seconds",
		"default 60\nx/TestB eighty":       "want a test and its seconds",
		"default 60\n\nx/Test with word 8": "1 of 2 tests",
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"budgets": table, "record": events} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		err := check(filepath.Join(dir, "budgets"), filepath.Join(dir, "record"), &out)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", table, err, want)
		}
		if strings.Contains(out.String(), "TestA\n") {
			t.Errorf("%q: a test with subtests is in the output:\n%s", table, out.String())
		}
	}
}
