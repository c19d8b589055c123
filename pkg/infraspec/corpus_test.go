package infraspec

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "update the golden files")

const corpus = "../../testdata/infraspec"

// files returns the good or the bad files of the corpus.
func files(t testing.TB, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(corpus, kind, "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s files: %v", kind, err)
	}
	return found
}

// parseFile parses a file of the corpus under its base name, to keep paths out of the golden files.
func parseFile(t testing.TB, path string) (*Spec, []Finding) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	spec, found, err := Parse(filepath.Base(path), data)
	var errs Errors
	if errors.As(err, &errs) {
		found = errs
	}
	return spec, found
}

// TestCorpus compares the findings of each file with the .findings file next to it. A good file has no errors.
func TestCorpus(t *testing.T) {
	for _, kind := range []string{"good", "bad"} {
		for _, path := range files(t, kind) {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
				spec, found := parseFile(t, path)
				if (spec != nil) != (kind == "good") {
					t.Errorf("%s file: spec is %v", kind, spec)
				}
				compare(t, strings.TrimSuffix(path, ".yaml")+".findings", listing(found))
			})
		}
	}
}

// listing formats findings with their excerpts and underlines.
func listing(found []Finding) string {
	var out strings.Builder
	for _, f := range found {
		fmt.Fprintln(&out, f)
		if f.Source != "" {
			underline := strings.Repeat(" ", f.Column-1) + strings.Repeat("^", f.EndColumn-f.Column)
			fmt.Fprintf(&out, "  |%s\n  |%s\n", f.Source, underline)
		}
	}
	return out.String()
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("findings differ from %s (update it with -update); got:\n%s", golden, got)
	}
}

// No finding contains a secret of the corpus, neither in its message nor in its excerpt.
func TestNoSecretInFindings(t *testing.T) {
	for _, path := range append(files(t, "good"), files(t, "bad")...) {
		_, found := parseFile(t, path)
		for _, canary := range []string{"hunter2", "HUNTER2", "AKIAABCDEFGHIJKLMNOP"} {
			if strings.Contains(listing(found), canary) {
				t.Errorf("%s: a finding shows %s:\n%s", path, canary, listing(found))
			}
		}
	}
}

// The corpus has a file that violates each rule of this package.
func TestCorpusViolatesEveryRule(t *testing.T) {
	shown := map[Rule]bool{}
	for _, path := range append(files(t, "good"), files(t, "bad")...) {
		_, found := parseFile(t, path)
		for _, f := range found {
			shown[f.Rule] = true
		}
	}
	for _, r := range []Rule{
		RuleUnreadable, RuleSyntax, RuleMergeConflict, RuleDocuments, RuleUnknownKey, RuleDuplicateKey, RuleWrongType,
		RuleRequired, RuleRange, RuleChoice, RuleName, RuleHost, RulePath, RuleQuantity, RuleDuration, RuleSchedule,
		RuleVariable, RuleTwice, RuleVolumeBacking, RuleSecretInEnv, RuleIgnored, RuleDatabase, RulePlatform,
		RulePortMismatch, RuleNoEffect, RuleClaim, RuleSecurity, RuleEnvironment,
	} {
		if !shown[r] {
			t.Errorf("no file of the corpus violates rule %s", r)
		}
	}
}
