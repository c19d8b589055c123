package infraspec

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// A finding shows its line of the file, and a line may hold what nobody should see in a log. What looks like a secret
// there is masked, rune for rune, so that columns stay true.

var (
	// secretName is a variable or key whose value is a secret by its name.
	secretName = regexp.MustCompile(`(?i)(secret|token|passw|passphrase|pwd$|pass$|credential|api_?key|access_?key|private_?key|auth_?key|encryption_?key|signing_?key|master_?key|_dsn$)`)
	// harmlessName is one that only speaks of a secret: where it is, how long it lives.
	harmlessName = regexp.MustCompile(`(?i)(_(file|path|dir|ttl|expiry|lifetime|timeout|name|id|count|length|header|issuer|enabled|policy)$|public)`)
	// harmlessValue is one that no secret looks like: a flag, a number, a reference, a path.
	harmlessValue = regexp.MustCompile(`^(|true|false|yes|no|on|off|null|none|~|-?[0-9.]+[a-z]{0,2}|\$\(.*\)|/.*|\$\{.*\})$`)
	// secretValue is a value that is a secret by its looks, whatever its name: well-known tokens, private keys, a URL's password.
	secretValue = regexp.MustCompile(`AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk_live_\w{10,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AGE-SECRET-KEY-1\w+|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----.*`)
	urlPassword = regexp.MustCompile(`://[^/\s:@]*:([^/\s@]+)@`)
	// assignment is a key and its value as they stand in one line; the value does not begin a nested list or mapping.
	assignment = regexp.MustCompile(`([A-Za-z0-9_.-]+)["']?\s*[:=]\s*("[^"]*"?|'[^']*'?|[^\s,}\]\[{#][^,}#]*)`)
)

// looksSecret reports whether an environment variable's literal value looks like a secret.
func looksSecret(name, value string) bool {
	return secretValue.MatchString(value) || urlPassword.MatchString(value) || secretByName(name, value)
}

func secretByName(name, value string) bool {
	return secretName.MatchString(name) && !harmlessName.MatchString(name) && !harmlessValue.MatchString(strings.TrimSpace(value))
}

// mask is line n, from 1, as it may be shown.
func (d *document) mask(n int) string {
	line := d.lines[n-1]
	declared := n >= d.declarations.first && n <= d.declarations.last
	line = replaceGroups(line, secretValue, 0, nil)
	line = replaceGroups(line, urlPassword, 1, nil)
	return replaceGroups(line, assignment, 2, func(name, value string) bool {
		return declared || secretByName(name, strings.Trim(value, `"'`))
	})
}

// replaceGroups puts as many stars as it has runes in the place of a group of each match, if want, asked
// with the match's first group and that group, says so; nil always does.
func replaceGroups(line string, re *regexp.Regexp, group int, want func(name, value string) bool) string {
	var out strings.Builder
	last := 0
	for _, m := range re.FindAllStringSubmatchIndex(line, -1) {
		from, to := m[2*group], m[2*group+1]
		value := strings.TrimRight(line[from:to], " ")
		to = from + len(value)
		if want != nil && !want(line[m[2]:m[3]], value) {
			continue
		}
		out.WriteString(line[last:from])
		out.WriteString(strings.Repeat("*", utf8.RuneCountInString(value)))
		last = to
	}
	return out.String() + line[last:]
}
