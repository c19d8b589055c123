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
)

// holdsSecret reports whether text looks like it contains a secret. Messages never quote such text.
func holdsSecret(text string) bool {
	return secretValue.MatchString(text) || spelledOut.MatchString(text)
}

// LooksSecret reports whether an environment variable's literal value looks like a secret.
func LooksSecret(name, value string) bool {
	return holdsSecret(value) || secretName.MatchString(name) && !harmlessName.MatchString(name) &&
		!harmlessValue.MatchString(strings.TrimSpace(value))
}
