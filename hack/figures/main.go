// Command figures prints the sizes of a Go source tree as Markdown tables. It parses the files and builds
// nothing, so a tree that does not compile can be measured, such as an old commit's:
//
//	mkdir before && git archive c920aa8 | tar x -C before
//	go run ./hack/figures before=before after=.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// column is a measured tree and the name it is shown under.
type column struct {
	name        string
	code, tests figures
}

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"."}
	}
	var columns []column
	for _, arg := range args {
		c, err := measure(arg)
		if err != nil {
			log.Fatalf("Error: %v", err)
		}
		columns = append(columns, c)
	}
	if err := write(os.Stdout, columns); err != nil {
		log.Fatalf("Error: %v", err)
	}
}

// measure reads the tree of an argument, which is DIR or NAME=DIR.
func measure(arg string) (column, error) {
	name, dir, named := strings.Cut(arg, "=")
	if !named {
		dir = arg
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return column{}, err
		}
		name = filepath.Base(absolute)
	}
	code, tests, err := read(dir)
	if err != nil {
		return column{}, err
	}
	return column{name: name, code: code.figures(), tests: tests.figures()}, nil
}

// row is a figure's name and how it is shown.
type row struct {
	name string
	show func(figures) string
}

var rows = []row{
	{"files", func(f figures) string { return fmt.Sprint(f.files) }},
	{"lines", func(f figures) string { return fmt.Sprint(f.lines) }},
	{"lines over 120 columns", func(f figures) string { return fmt.Sprint(f.wide) }},
	{"longest file", func(f figures) string { return f.longestFile.String() }},
	{"functions", func(f figures) string { return fmt.Sprint(f.functions) }},
	{"lines of a function, median", func(f figures) string { return fmt.Sprint(f.median) }},
	{"lines of a function, 99th percentile", func(f figures) string { return fmt.Sprint(f.p99) }},
	{"longest function", func(f figures) string { return f.longestFunction.String() }},
	{"largest interface, methods", func(f figures) string { return f.largestInterface.String() }},
	{"exported names without documentation", func(f figures) string { return fmt.Sprint(f.undocumented) }},
	{"packages", func(f figures) string { return fmt.Sprint(len(f.packages)) }},
}

// packagesShown is the number of packages that are listed by name.
const packagesShown = 10

// write prints a table for the code and one for the tests, with a column for each tree.
func write(to io.Writer, columns []column) error {
	var text strings.Builder
	for _, part := range []struct {
		title string
		of    func(column) figures
	}{
		{"Code", func(c column) figures { return c.code }},
		{"Tests", func(c column) figures { return c.tests }},
	} {
		table := [][]string{{part.title}}
		for _, c := range columns {
			table[0] = append(table[0], c.name)
		}
		for _, r := range rows {
			line := []string{r.name}
			for _, c := range columns {
				line = append(line, r.show(part.of(c)))
			}
			table = append(table, line)
		}
		for i := range packagesShown {
			line := []string{fmt.Sprintf("package with most files, %d", i+1)}
			for _, c := range columns {
				line = append(line, part.of(c).largestPackage(i).String())
			}
			table = append(table, line)
		}
		text.WriteString(markdown(table))
		text.WriteString("\n")
	}
	_, err := io.WriteString(to, strings.TrimSuffix(text.String(), "\n"))
	return err
}

// markdown aligns the cells of a table, whose first row is its head.
func markdown(table [][]string) string {
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width)
	}
	var text strings.Builder
	for _, line := range slices.Insert(slices.Clone(table), 1, rule) {
		for i, cell := range line {
			fmt.Fprintf(&text, "| %-*s ", widths[i], cell)
		}
		text.WriteString("|\n")
	}
	return text.String()
}
