// Command prose finds words and widths that norn's texts avoid. It reads the Markdown pages, the comments and messages
// of the Go files, the Makefile and the scripts. It prints a line for each place and exits with 1 if there are any:
//
//	go run ./hack/prose [DIR]
//
// A line where the word is right goes into hack/prose/allow.txt, with its file and exactly as it is written.
package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	found, err := lint(dir)
	if err != nil {
		log.Fatalf("Error: %v", err)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		log.Fatalf("Error: %d places to rewrite", len(found))
	}
}

// skipped are the folders whose files nobody wrote as prose.
var skipped = []string{"testdata", "vendor"}

// lint returns the findings of the tree below dir, by file and line.
func lint(dir string) ([]finding, error) {
	allowed, err := readAllowed(dir)
	if err != nil {
		return nil, err
	}
	var found []finding
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && (slices.Contains(skipped, entry.Name()) || entry.Name()[0] == '.'):
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if !isProse(name) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inFile, err := lintFile(name, text)
		if err != nil {
			return err
		}
		found = append(found, allowed.filter(inFile, strings.Split(string(text), "\n"))...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	found = append(found, allowed.unused()...)
	slices.SortStableFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	return found, nil
}

// rulesFile holds the words themselves.
const rulesFile = "hack/prose/words.go"

// isProse reports whether a file is checked.
func isProse(name string) bool {
	switch path.Ext(name) {
	case ".go":
		return name != rulesFile
	case ".md":
		return !strings.Contains(name, "/") || strings.HasPrefix(name, "docs/")
	case "":
		return name == "Makefile" || path.Dir(name) == "hack"
	}
	return false
}

// lintFile checks one file.
func lintFile(name string, text []byte) ([]finding, error) {
	var found []finding
	var passages []passage
	switch path.Ext(name) {
	case ".go":
		var err error
		if passages, err = goPassages(name, text); err != nil {
			return nil, err
		}
	case ".md":
		passages = markdownPassages(string(text))
		found = tooWide(name, string(text))
	default:
		passages = []passage{{strings.ReplaceAll(string(text), "\n# ", "\n  "), 1}}
	}
	for _, p := range passages {
		found = append(found, p.check(name)...)
	}
	return found, nil
}
