package complete

import (
	"regexp"
	"strings"
	"unicode"
)

// safeWord matches the words that mean the same in every shell, quoted or not. The scripts for bash, zsh, fish and
// PowerShell insert a value, or the common beginning of several, and evaluate the command line at the next TAB. bash
// inserts the common beginning without quotes. A word must not begin with "-", which would make it a flag, nor with
// "=", "%", "@", "+", "," or ":", which have a meaning at the beginning of a word in some shell.
var safeWord = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./:@%+=,-]*$`)

// Safe returns the lines, in the format of cobra's scripts, whose values a shell can evaluate without harm. Names come
// from clones, kubeconfigs and clusters, so anybody can choose them. Descriptions lose what a shell would evaluate.
func Safe(lines []string) []string {
	safe := make([]string, 0, len(lines))
	for _, line := range lines {
		text, about, _ := strings.Cut(line, "\t")
		if !safeWord.MatchString(text) {
			continue
		}
		if about = safeText(about); about != "" {
			text += "\t" + about
		}
		safe = append(safe, text)
	}
	return safe
}

// safeText returns a description without characters that a shell would evaluate or a terminal would interpret. bash
// inserts descriptions too if its completion ignores case and two names differ in nothing else.
func safeText(about string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\'' || r == '"' || r == '`':
			return '’'
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '’' || r == '…':
			return r
		case strings.ContainsRune("_./:@%+=,-", r):
			return r
		default:
			return ' '
		}
	}, about)), " ")
}
