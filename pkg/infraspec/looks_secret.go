package infraspec

import (
	"regexp"
	"strings"
)

var (
	// secretName matches variables whose names say that the value is secret.
	secretName = regexp.MustCompile(`(?i)(secret|token|passw|passphrase|pwd$|pass$|credential|api_?key|_key$|^key$|` +
		`(^|_)dsn$|(^|_)pw$|(^|_)auth$|jwt|salt|cookie|hmac|pepper)`)
	// harmlessName matches names that describe a secret without containing it, such as its path or lifetime.
	harmlessName = regexp.MustCompile(`(?i)(_(file|path|dir|ttl|expiry|expires|lifetime|timeout|name|id|count|length|` +
		`size|header|issuer|enabled|policy|domain|samesite|secure)$|^public_key$|_public_key$|^max_)`)
	// harmlessValue matches values that cannot be secrets: flags, numbers, references.
	harmlessValue = regexp.MustCompile(`^(|true|false|yes|no|on|off|null|none|~|-?[0-9.]+[a-z]{0,2}|\$\(.*\)|\$\{.*\})$`)
	// secretValue matches well-known tokens and private keys, whatever the variable is called.
	secretValue = regexp.MustCompile(`AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|` +
		`sk_live_\w{10,}|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AGE-SECRET-KEY-1\w+|` +
		`eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|-----BEGIN [A-Z ]*PRIVATE KEY-----|` +
		`(?i)hooks\.slack\.com/services/\w|(?i)\b(basic|bearer) [\w+/=.-]{8,}`)
	// spelledOut matches an explicit password in an address, a parameter or an option.
	spelledOut = regexp.MustCompile(`(?i)[a-z]://[^\s/@]+@|[a-z]://[^\s/:@]*:[^\s]+@|` +
		`\b(password|passwd|pwd|token|secret|api_?key|access_token)=[^&\s$]|` +
		`--(password|token|secret|api-?key)[= ][^\s$]`)
	// ordinary matches text whose shape no generated password or token has: an amount, or words and short numbers
	// between separators, such as "debug", "10.0.0.1:8080" or "/var/log/shop". It excludes words that mix letters and
	// digits, and addresses with credentials or parameters.
	ordinary = regexp.MustCompile(`^(?:-?[0-9.]{1,10}[A-Za-z%]{0,2}|(?:git@|[/.-]{0,3})` + ordinaryWord +
		`(?:[ _./:,-]+` + ordinaryWord + `)*[/.]?)$`)
	// ordinaryWord has letters of one case, two capitalized words, or digits.
	ordinaryWord = `(?:[A-Z]{1,15}|[A-Z]?[a-z]{1,15}|[A-Z]?[a-z]{3,15}[A-Z][a-z]{3,15}|v?[0-9]{1,5})`
	// ordinaryKey matches keys of other tools, such as runAsNonRoot.
	ordinaryKey = regexp.MustCompile(`^[A-Za-z]?[a-z]{0,15}(?:[A-Z]{1,4}[a-z]{0,15}){0,4}$`)
)

// maxOrdinary is the length in bytes above which no text is ordinary.
const maxOrdinary = 100

// isOrdinary reports whether the value of a key cannot be a secret.
func isOrdinary(name, value string) bool {
	return len(value) <= maxOrdinary && (value == "" || ordinary.MatchString(value)) && !LooksSecret(name, value)
}

// holdsSecret reports whether text looks like it contains a secret. Messages never quote such text.
func holdsSecret(text string) bool {
	return secretValue.MatchString(text) || spelledOut.MatchString(text)
}

// LooksSecret reports whether an environment variable's literal value looks like a secret.
func LooksSecret(name, value string) bool {
	return holdsSecret(value) || secretName.MatchString(name) && !harmlessName.MatchString(name) &&
		!harmlessValue.MatchString(strings.TrimSpace(value))
}
