package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// keep writes a picture, unless the existing picture differs only in details that change with every run: names of
// Pods, digests, times, and the order of the Pods' lines.
func (s *studio) keep(name string, shot shot) error {
	drawn, err := shot.svg("norn at a terminal: " + strings.SplitN(shot.text(), "\n", 2)[0])
	if err != nil {
		return err
	}
	path := filepath.Join(s.out, name+".svg")
	before, err := os.ReadFile(path)
	switch {
	case err == nil && slices.Equal(steady(string(before)), steady(drawn)):
		fmt.Println(path, "unchanged")
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	fmt.Println(path, "drawn")
	return os.WriteFile(path, []byte(drawn), 0o644)
}

// varyingDetails lists the details that change with every run, and their replacements. Columns depend on these
// details, and a Pod's color depends on its name.
var varyingDetails = []struct {
	is *regexp.Regexp
	as string
}{
	// The time of a run or a step, which norn omits if it is short.
	{regexp.MustCompile(`(?m)^<text[^>]*>(in \d+(\.\d+)?s|\(\d+(\.\d+)?s\))</text>\n`), ""},
	{regexp.MustCompile(` (x|y|textLength|class)="[^"]*"`), ""},
	{regexp.MustCompile(`(?m)^.*\.c\d+\{.*$`), ""},
	{regexp.MustCompile(`shop-[0-9a-z]{8,10}-[0-9a-z]{5}`), "POD"},
	{regexp.MustCompile(`>[0-9a-z]{5}<`), ">POD<"},
	{regexp.MustCompile(`[0-9a-f]{12,}`), "HASH"},
	{regexp.MustCompile(`[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]`), "SPINNER"},
	{regexp.MustCompile(`\d+(\.\d+)?`), "N"},
}

func steady(svg string) []string {
	for _, u := range varyingDetails {
		svg = u.is.ReplaceAllString(svg, u.as)
	}
	lines := strings.Split(svg, "\n")
	slices.Sort(lines)
	return lines
}
