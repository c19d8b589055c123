package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// markdownColumns is the widest that a line of Markdown may be.
const markdownColumns = 100

var (
	fence    = regexp.MustCompile("^\\s*(```+|~~~+)")
	codeSpan = regexp.MustCompile("``.+?``|`[^`]+`")
	linkTo   = regexp.MustCompile(`\]\([^)\s]*\)|^\s*\[[^]]+\]:\s.*$|<https?://[^>]*>|https?://\S+`)
	link     = regexp.MustCompile(`!?\[[^]]*\]\([^)]*\)|` + codeSpan.String())
	marker   = regexp.MustCompile(`^\s*(?:[-*+>]\s+|\d+\.\s+)*`)
)

// markdownLines returns the lines of a page that are prose, and empty ones in place of code blocks.
func markdownLines(text string) []string {
	lines := strings.Split(text, "\n")
	closing := ""
	for i, line := range lines {
		mark := fence.FindStringSubmatch(line)
		switch {
		case closing == "" && mark != nil:
			closing = mark[1]
		case closing == "":
			continue
		case mark != nil && strings.HasPrefix(mark[1], closing) && strings.TrimSpace(line) == mark[1]:
			closing = ""
		}
		lines[i] = ""
	}
	return lines
}

// markdownPassages returns the paragraphs of a page without their code and the addresses of links.
func markdownPassages(text string) []passage {
	var passages []passage
	var paragraph []string
	lines := append(markdownLines(text), "")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			paragraph = append(paragraph, linkTo.ReplaceAllString(line, "]"))
			continue
		}
		if len(paragraph) > 0 {
			text := strings.Join(paragraph, "\n")
			text = codeSpan.ReplaceAllStringFunc(text, func(code string) string {
				return other + strings.Repeat("\n", strings.Count(code, "\n"))
			})
			passages = append(passages, passage{text, i + 1 - len(paragraph)})
			paragraph = nil
		}
	}
	return passages
}

// tooWide finds the lines of a page that are too wide and could be split. Tables, code blocks and a line that is
// one link cannot.
func tooWide(file, text string) []finding {
	var found []finding
	for i, line := range markdownLines(text) {
		width := utf8.RuneCountInString(line)
		if width <= markdownColumns || strings.HasPrefix(strings.TrimSpace(line), "|") || !splittable(line) {
			continue
		}
		problem := fmt.Sprintf("%d columns: break the line at %d", width, markdownColumns)
		found = append(found, finding{file, i + 1, problem})
	}
	return found
}

// splittable reports whether a line has a space to break it at, beyond its list marker and outside of links and code.
func splittable(line string) bool {
	rest := strings.TrimSpace(line[len(marker.FindString(line)):])
	return strings.Contains(link.ReplaceAllString(rest, "link"), " ")
}
