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

var update = flag.Bool("update", false, "write the golden files anew")

const corpus = "../../testdata/infraspec"

// files are the corpus's files of one kind, good or bad.
func files(t testing.TB, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(corpus, kind, "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no %s files: %v", kind, err)
	}
	return found
}

// parseFile parses a file of the corpus under its bare name, so that golden files hold no path.
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

// TestCorpus compares what is found in each file with the .findings beside it; a good file is one that can be used.
func TestCorpus(t *testing.T) {
	for _, kind := range []string{"good", "bad"} {
		for _, path := range files(t, kind) {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
				spec, found := parseFile(t, path)
				if (spec != nil) != (kind == "good") {
					t.Errorf("a %s file, and the spec is %v", kind, spec)
				}
				compare(t, strings.TrimSuffix(path, ".yaml")+".findings", listing(found))
			})
		}
	}
}

// listing writes findings with their lines and what is underlined.
func listing(found []Finding) string {
	var out strings.Builder
	for _, f := range found {
		fmt.Fprintln(&out, f)
		if f.Source != "" {
			fmt.Fprintf(&out, "  |%s\n  |%s%s\n", f.Source, strings.Repeat(" ", f.Column-1), strings.Repeat("^", f.EndColumn-f.Column))
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
		t.Errorf("findings differ from %s (write it anew with -update); got:\n%s", golden, got)
	}
}

// What the corpus plants as a secret is in no finding, neither in its text nor in the line it shows.
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

// Each rule that this package finds by itself has a file in the corpus that breaks it.
func TestEveryRuleIsShown(t *testing.T) {
	shown := map[Rule]bool{}
	for _, path := range append(files(t, "good"), files(t, "bad")...) {
		_, found := parseFile(t, path)
		for _, f := range found {
			shown[f.Rule] = true
		}
	}
	for _, r := range []Rule{
		RuleUnreadable, RuleSyntax, RuleMergeConflict, RuleDocuments, RuleUnknownKey, RuleDuplicateKey, RuleWrongType, RuleRequired,
		RuleRange, RuleChoice, RuleName, RuleHost, RulePath, RuleQuantity, RuleDuration, RuleSchedule, RuleVariable, RuleTwice, RuleVolumeBacking,
		RuleSecretInEnv, RuleIgnored, RuleDatabase, RulePortMismatch, RuleNoEffect,
	} {
		if !shown[r] {
			t.Errorf("no file of the corpus breaks rule %s", r)
		}
	}
}
