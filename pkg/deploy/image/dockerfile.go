package image

import (
	"regexp"
	"slices"
	"strings"
)

// instruction is one instruction of a Dockerfile.
type instruction struct {
	name      string // upper case
	arguments string // all of its lines, with the text of its here-documents
	line      int    // of its name, from 1
}

var (
	escapeDirective = regexp.MustCompile("(?i)^[ \t]*#[ \t]*escape[ \t]*=[ \t]*([\\\\`])[ \t]*$")
	directive       = regexp.MustCompile(`^[ \t]*#[ \t]*[A-Za-z][A-Za-z0-9]*[ \t]*=[ \t]*.+$`)
	hereDocument    = regexp.MustCompile(`(?:^|[ \t])\d*<<(-?)["']?([A-Za-z0-9_.]+)["']?`)
)

// parseDockerfile splits a Dockerfile into instructions (docs.docker.com: Dockerfile reference, Format, Escape,
// Here-documents). It does not interpret their arguments.
func parseDockerfile(text string) []instruction {
	lines := strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	escape := escapeCharacter(lines)
	var out []instruction
	for i := 0; i < len(lines); i++ {
		if skipped(lines[i]) {
			continue
		}
		first := i + 1
		line, more := continued(lines[i], escape)
		for more && i+1 < len(lines) {
			i++
			if skipped(lines[i]) { // does not end the instruction
				continue
			}
			var next string
			next, more = continued(lines[i], escape)
			line += next
		}
		line = strings.TrimSpace(line)
		name, arguments := line, ""
		if at := strings.IndexAny(line, " \t"); at >= 0 {
			name, arguments = line[:at], strings.TrimSpace(line[at:])
		}
		name = strings.ToUpper(name)
		if name == "RUN" || name == "COPY" || name == "ADD" {
			end := hereDocumentsEnd(arguments, lines, i+1)
			arguments = strings.Join(append([]string{arguments}, lines[i+1:end]...), "\n")
			i = end - 1
		}
		out = append(out, instruction{name, arguments, first})
	}
	return out
}

// skipped reports whether a line is a comment or blank.
func skipped(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}

// escapeCharacter returns the character that continues a line. A directive at the top of the file can set it.
func escapeCharacter(lines []string) string {
	for _, line := range lines {
		if m := escapeDirective.FindStringSubmatch(line); m != nil {
			return m[1]
		}
		if !directive.MatchString(line) {
			break
		}
	}
	return `\`
}

// continued reports whether an instruction goes on in the next line, and returns the line without the escape character.
func continued(line, escape string) (string, bool) {
	text, ok := strings.CutSuffix(strings.TrimRight(line, " \t"), escape)
	if !ok {
		return line, false
	}
	return text, true
}

// hereDocumentsEnd returns the index of the line after an instruction's here-documents, which begin at line next. It
// returns next if there is none, or if one has no end, because then << is something else, such as a shell operator.
func hereDocumentsEnd(arguments string, lines []string, next int) int {
	end := next
	for _, m := range hereDocument.FindAllStringSubmatch(arguments, -1) {
		at := slices.IndexFunc(lines[end:], func(line string) bool {
			if m[1] == "-" {
				line = strings.TrimLeft(line, "\t")
			}
			return line == m[2]
		})
		if at < 0 {
			return next
		}
		end += at + 1
	}
	return end
}
