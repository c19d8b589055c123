// Package architecture holds ARCHITECTURE.md to the code: its components, its arrows and its links.
package architecture

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "norn/"
)

func TestArchitecture(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	imports, err := readImports()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range check(string(text), imports) {
		t.Error(problem)
	}
}

// readImports returns the imports of norn's packages among each other, by folder. Tests do not count.
func readImports() (map[string][]string, error) {
	imports := map[string][]string{}
	for _, top := range []string{"cmd", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && entry.Name() == "testdata" {
				return fs.SkipDir
			}
			if filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return nil
			}
			folder, err := filepath.Rel(root, filepath.Dir(file))
			if err != nil {
				return err
			}
			folder = filepath.ToSlash(folder)
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			imports[folder] = append(imports[folder], []string{}...)
			for _, i := range parsed.Imports {
				name, err := strconv.Unquote(i.Path.Value)
				if err != nil {
					return err
				}
				if to, ours := strings.CutPrefix(name, module); ours {
					imports[folder] = append(imports[folder], to)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return imports, nil
}

// check compares the page with the imports of the packages.
func check(page string, imports map[string][]string) []string {
	cs := readComponents(section(page, "Components"))
	problems := cs.checkFolders(imports)
	problems = append(problems, cs.checkArrows(imports)...)
	problems = append(problems, cs.checkPicture(section(page, "Components"))...)
	return append(problems, checkPackages(section(page, "Packages in the large components"), cs, imports)...)
}

// section returns the text under a heading of the second level.
func section(page, heading string) string {
	_, text, _ := strings.Cut(page, "\n## "+heading+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// tableRows returns the cells of the table in a text, without its head.
func tableRows(text string) [][]string {
	var rows [][]string
	for line := range strings.Lines(picture.ReplaceAllString(text, "")) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") {
			var cells []string
			for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			rows = append(rows, cells)
		}
	}
	return rows[min(2, len(rows)):]
}

// component is a row of the table of components.
type component struct {
	name    string
	folders []string
	imports []string
}

type components []component

func readComponents(text string) components {
	var all components
	for _, cells := range tableRows(text) {
		if len(cells) == 3 {
			folders := strings.Fields(strings.ReplaceAll(cells[1], "`", " "))
			all = append(all, component{cells[0], folders, strings.Fields(cells[2])})
		}
	}
	return all
}

// of returns the component of a package, or "".
func (cs components) of(pkg string) string {
	for _, c := range cs {
		for _, folder := range c.folders {
			if isIn(pkg, folder) {
				return c.name
			}
		}
	}
	return ""
}

// checkFolders finds packages without a component and folders without packages.
func (cs components) checkFolders(imports map[string][]string) []string {
	var problems []string
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		if cs.of(pkg) == "" {
			problems = append(problems, pkg+" is in no component")
		}
	}
	for _, c := range cs {
		for _, folder := range c.folders {
			if !hasPackages(folder, imports) {
				problems = append(problems, folder+" in component "+c.name+" has no packages")
			}
		}
	}
	return problems
}

func hasPackages(folder string, imports map[string][]string) bool {
	for pkg := range imports {
		if isIn(pkg, folder) {
			return true
		}
	}
	return false
}

func isIn(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }

// checkArrows finds arrows between components that only the table or only the code has.
func (cs components) checkArrows(imports map[string][]string) []string {
	because := map[[2]string]string{}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		for _, imported := range imports[pkg] {
			if from, to := cs.of(pkg), cs.of(imported); from != to && from != "" && to != "" {
				because[[2]string{from, to}] = fmt.Sprintf("%s imports %s", pkg, imported)
			}
		}
	}
	var problems []string
	drawn := map[[2]string]bool{}
	for _, c := range cs {
		for _, to := range c.imports {
			arrow := [2]string{c.name, to}
			drawn[arrow] = true
			if because[arrow] == "" {
				problems = append(problems, fmt.Sprintf("superfluous arrow %s -> %s", c.name, to))
			}
		}
	}
	for arrow, reason := range because {
		if !drawn[arrow] {
			problems = append(problems, fmt.Sprintf("missing arrow %s -> %s: %s", arrow[0], arrow[1], reason))
		}
	}
	slices.Sort(problems)
	return problems
}

var (
	picture = regexp.MustCompile("(?s)```text\n(.*?)\n```")
	word    = regexp.MustCompile(`[a-z0-9]+`)
)

// checkPicture finds components that the picture lacks or shows twice, words that are not components, and arrows of the
// table that do not point down in the picture.
func (cs components) checkPicture(text string) []string {
	drawn := picture.FindStringSubmatch(text)
	if drawn == nil {
		return []string{"there is no picture of the components"}
	}
	var problems []string
	level := map[string]int{}
	for i, line := range strings.Split(drawn[1], "\n") {
		for _, name := range word.FindAllString(line, -1) {
			if level[name] > 0 {
				problems = append(problems, name+" is in the picture twice")
			}
			level[name] = i + 1
		}
	}
	for _, c := range cs {
		if level[c.name] == 0 {
			problems = append(problems, c.name+" is not in the picture")
		}
		for _, to := range c.imports {
			if level[to] <= level[c.name] {
				problems = append(problems, fmt.Sprintf("arrow %s -> %s does not point down in the picture", c.name, to))
			}
		}
	}
	known := func(name string) bool {
		return slices.ContainsFunc(cs, func(c component) bool { return c.name == name })
	}
	for _, name := range slices.Sorted(maps.Keys(level)) {
		if !known(name) {
			problems = append(problems, name+" is in the picture and not in the table")
		}
	}
	return problems
}

// checkPackages compares the table of packages with the packages of the components in it.
func checkPackages(text string, cs components, imports map[string][]string) []string {
	var problems []string
	listed := map[string][]string{}
	covered := map[string]bool{}
	for _, cells := range tableRows(text) {
		if len(cells) == 3 {
			pkg := strings.Trim(cells[0], "`")
			listed[pkg] = strings.Fields(cells[2])
			covered[cs.of(pkg)] = true
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(listed)) {
		if _, ok := imports[pkg]; !ok {
			problems = append(problems, pkg+" is listed and not a package")
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		component := cs.of(pkg)
		if !covered[component] {
			continue
		}
		want, ok := listed[pkg]
		if !ok {
			problems = append(problems, pkg+" is not listed")
			continue
		}
		found := map[string]bool{}
		for _, imported := range imports[pkg] {
			if cs.of(imported) == component {
				found[path.Base(imported)] = true
			}
		}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			problems = append(problems, fmt.Sprintf("%s imports %q in its component, and the table says %q", pkg, got, want))
		}
	}
	return problems
}
