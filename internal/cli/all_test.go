package cli

import (
	"testing"

	"norn/internal/batch"
)

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		codes []int
		want  int
	}{
		{nil, 0}, {[]int{0, 0}, 0}, {[]int{0, 4, 4}, 4}, {[]int{4, 5}, 1}, {[]int{5, 0, 5}, 5},
	} {
		var results []batch.Result
		for _, code := range c.codes {
			results = append(results, batch.Result{Code: code})
		}
		if got := codeOf(results); got != c.want {
			t.Errorf("%v: %d, want %d", c.codes, got, c.want)
		}
	}
}

func TestWithApp(t *testing.T) {
	for line, want := range map[string]string{
		`{"event":"end","exitCode":0}`: `{"app":"shop","event":"end","exitCode":0}`,
		`{}`:                           `{"app":"shop"}`,
		`Error: no JSON`:               `Error: no JSON`,
		`{broken`:                      `{broken`,
	} {
		if got := string(withApp("shop", []byte(line))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Sections of several apps would be mixed in a CI log, and an annotation must begin its line.
func TestLinesOfCI(t *testing.T) {
	for line, want := range map[string][2]bool{
		"::group::build\n": {true, false}, "::endgroup::\n": {true, false},
		"\x1b[0Ksection_start:1:build\r\x1b[0Kbuild\n": {true, false},
		"::error title=norn::x\n":                      {false, true}, "::warning title=norn::x\n": {false, true},
		"  | ::error::of others\n": {false, false}, "done\n": {false, false},
	} {
		if got := [2]bool{isSection([]byte(line)), isAnnotation([]byte(line))}; got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
