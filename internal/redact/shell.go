package redact

import "strings"

// shellQuoted returns a value's forms in shells: what set, export -p, declare -p, printf %q and set -x print, and what
// .env files have in double quotes.
func shellQuoted(v string) []string {
	forms := []string{
		strings.ReplaceAll(v, `'`, `'\''`),  // bash, zsh
		strings.ReplaceAll(v, `'`, `'"'"'`), // dash, ash, Python's shlex
		inDoubleQuotes.Replace(v),
		inDoubleQuotes.Replace(strings.ReplaceAll(v, "\n", `\n`)), // .env files
		coreutilsQuote(v),
	}
	for _, special := range []string{bashSpecial, bashSpecial + "~", strings.TrimPrefix(bashSpecial, "\t"), zshSpecial} {
		rest := backslashed(v, special)
		forms = append(forms, rest)
		// Only at the start of a word.
		if v != "" && (v[0] == '#' || v[0] == '~' || v[0] == '=') && !strings.HasPrefix(rest, `\`) {
			forms = append(forms, `\`+rest)
		}
	}
	for _, f := range []string{ // $'…'
		cEscape(v, octalByte), cEscape(v, bashUnprintable), cEscape(v, bashControl),
	} {
		forms = append(forms, strings.ReplaceAll(f, `'`, `\'`))
	}
	return forms
}

// The characters that printf %q escapes with a backslash, in bash (lib/sh/shquote.c: sh_backslash_quote) and zsh.
const (
	bashSpecial = "\t \n'\"\\|&;()<>!{}*[?]^$`,"
	zshSpecial  = "\t \n'\"\\|&;()<>{}*[?]^$`#"
)

// inDoubleQuotes escapes what has a meaning inside double quotes (POSIX.1-2024: Shell Command Language, 2.2.3).
var inDoubleQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")

func backslashed(v, special string) string {
	var b strings.Builder
	for _, r := range v {
		if strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// bashUnprintable escapes as bash does if its locale has only ASCII.
func bashUnprintable(b *strings.Builder, text string, r rune) {
	if i := strings.IndexRune("\a\b\x1b\f\v", r); i >= 0 {
		b.WriteString(`\` + `abEfv`[i:i+1])
		return
	}
	octalByte(b, text, r)
}

// bashControl escapes as bash does in a UTF-8 locale.
func bashControl(b *strings.Builder, text string, r rune) {
	if r > 0x7f {
		b.WriteString(text)
		return
	}
	bashUnprintable(b, text, r)
}

// coreutilsQuote returns what ls and the printf %q of coreutils print, with control characters in quotes of their own.
func coreutilsQuote(v string) string {
	var b strings.Builder
	inside := false
	for _, r := range v {
		control := r < ' ' || r == 0x7f
		switch {
		case control && !inside:
			b.WriteString(`'$'`)
		case !control && inside:
			b.WriteString(`''`)
		}
		switch inside = control; {
		case control:
			b.WriteString(cEscape(string(r), bashControl))
		case r == '\'':
			b.WriteString(`'\''`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
