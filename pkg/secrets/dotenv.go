package secrets

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/subosito/gotenv"
)

// maxDotenv is the maximum size of a dotenv file in bytes: more values than a Secret can hold.
const maxDotenv = 2 << 20

// variable matches the names that a container accepts from a Secret and that a dotenv file can have.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// Dotenv returns the values of a dotenv file, as text for environment variables. It expands nothing, because a $ in a
// secret is a $. path is for messages. Problems are a *FileError, which quotes nothing of the file.
func Dotenv(path string, text []byte) (map[string]Value, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	problem := ""
	switch {
	case len(text) > maxDotenv:
		problem = fmt.Sprintf("the file has more than %d bytes", maxDotenv)
	case !utf8.Valid(text) || bytes.ContainsRune(text, 0):
		problem = "the file is not UTF-8 text"
	}
	if problem != "" {
		return nil, &FileError{Path: path, Problem: problem, Advice: "set the values with norn secrets set NAME --from-file"}
	}
	dollar, hash := unusedRunes(string(text))
	masked := mask(string(text), dollar, hash)
	read, err := gotenv.StrictParse(strings.NewReader(masked))
	if err != nil { // without err, which quotes the line
		return nil, &FileError{
			Path: path, Problem: fmt.Sprintf("line %d is not NAME=VALUE", badLine(masked)),
			Advice: "fix the line; a value of several lines needs quotes around it",
		}
	}
	values := map[string]Value{}
	for _, name := range slices.Sorted(maps.Keys(read)) {
		if !variable.MatchString(name) {
			return nil, &FileError{
				Path: path, Problem: "a name begins with a digit or contains other characters than letters, digits, '_' and '.'",
				Advice: "rename it",
			}
		}
		values[name] = NewValue(strings.NewReplacer(string(dollar), "$", string(hash), "#").Replace(read[name]))
	}
	if len(values) == 0 {
		return nil, &FileError{Path: path, Problem: "the file has no values", Advice: "write one NAME=VALUE on each line"}
	}
	return values, nil
}

// unusedRunes returns two characters that text does not contain.
func unusedRunes(text string) (first, second rune) {
	var unused []rune
	for r := '\ue000'; len(unused) < 2; r++ { // for private use
		if !strings.ContainsRune(text, r) {
			unused = append(unused, r)
		}
	}
	return unused[0], unused[1]
}

// mask replaces each $, and each # inside a word. The parser would expand the former, and cut a value at the latter.
func mask(text string, dollar, hash rune) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		inWord := !unicode.IsSpace(before)
		before = r
		switch {
		case r == '$':
			return dollar
		case r == '#' && inWord:
			return hash
		}
		return r
	}, text)
}

// badLine returns the number of the first line that makes the text invalid, from 1.
func badLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := gotenv.StrictParse(strings.NewReader(strings.Join(lines[:n], ""))); err == nil {
			return n + 1
		}
	}
	return 1
}
