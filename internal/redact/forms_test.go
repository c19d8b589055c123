package redact

import (
	"encoding/json"
	"strings"
	"testing"
)

// special has all characters that shells, markup and string literals treat in a special way.
const special = `p@ss "word"\<ü>'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`

// What programs print for the value special. The texts were copied from their output.
func TestRedactorPrograms(t *testing.T) {
	for name, text := range map[string]string{
		"bash printf %q": `p@ss\ \"word\"\\\<ü\>\'\&+/%\?~~\$a\` + "`b\\`" + `\!\,\{x\}\[y\]=:#\^\|\;\(\*\)`,
		"bash export -p": `p@ss \"word\"\\<ü>'&+/%?~~\$a\` + "`b\\`" + `!,{x}[y]=:#^|;(*)`,
		"bash set":       `p@ss "word"\<ü>'\''&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"bash printf %q in the C locale": `p@ss "word"\\<\303\274>\'&+/%?~~$a` + "`b`" +
			`!,{x}[y]=:#^|;(*)`,
		"dash export -p": `p@ss "word"\<ü>'"'"'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"zsh printf %q":  `p@ss\ \"word\"\\\<ü\>\'\&+/%\?~~\$a\` + "`b\\`" + `!,\{x\}\[y\]=:\#\^\|\;\(\*\)`,
		"Python repr":    `p@ss "word"\\<ü>\'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"Python bytes":   `p@ss "word"\\<\xc3\xbc>\'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"Python ascii":   `p@ss "word"\\<\xfc>\'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"Python JSON":    `p@ss \"word\"\\<\u00fc>'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"Python JSON in JSON": `p@ss \\\"word\\\"\\\\<\\u00fc>'&+/%?~~$a` + "`b`" +
			`!,{x}[y]=:#^|;(*)`,
		"Jackson": `p@ss \"word\"\\<\u00FC>'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"PHP":     `p@ss \"word\"\\<\u00fc>'&+\/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		".NET": `p@ss \u0022word\u0022\\\u003C\u00FC\u003E\u0027\u0026\u002B/%?~~$a\u0060b\u0060` +
			`!,{x}[y]=:#^|;(*)`,
		"Python html.escape": `p@ss &quot;word&quot;\&lt;ü&gt;&#x27;&amp;+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"Go html.EscapeString": `p@ss &#34;word&#34;\&lt;ü&gt;&#39;&amp;+/%?~~$a` + "`b`" +
			`!,{x}[y]=:#^|;(*)`,
		"SQL, YAML": `p@ss "word"\<ü>''&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"CSV":       `p@ss ""word""\<ü>'&+/%?~~$a` + "`b`" + `!,{x}[y]=:#^|;(*)`,
		"Python quote": `p%40ss%20%22word%22%5C%3C%C3%BC%3E%27%26%2B/%25%3F~~%24a%60b%60%21%2C%7Bx%7D%5By%5D%3D` +
			`%3A%23%5E%7C%3B%28%2A%29`,
		"JavaScript encodeURI": `p@ss%20%22word%22%5C%3C%C3%BC%3E'&+/%25?~~$a%60b%60!,%7Bx%7D%5By%5D=:#%5E%7C;(*)`,
		"JavaScript URLSearchParams": `p%40ss+%22word%22%5C%3C%C3%BC%3E%27%26%2B%2F%25%3F%7E%7E%24a%60b%60%21%2C%7Bx%7D` +
			`%5By%5D%3D%3A%23%5E%7C%3B%28*%29`,
	} {
		r := New()
		r.Hide("TOKEN", special)
		if got := r.Text("x" + text + "y"); got != "x[redacted:TOKEN]y" {
			t.Errorf("%s: got %q", name, got)
		}
		if strings.Contains(name, "in JSON") {
			continue
		}
		inJSON, _ := json.Marshal(text)
		if got := r.Text(string(inJSON)); got != `"[redacted:TOKEN]"` {
			t.Errorf("%s in JSON: got %s", name, got)
		}
	}
}

// Control characters make shells use other quotes.
func TestRedactorControlCharacters(t *testing.T) {
	r := New()
	r.Hide("TOKEN", "it's\ta \x1b[1mü\x01")
	r.Hide("LINES", "first line\nsecond 'line'")
	r.Hide("START", "#start~of=word")
	for text, want := range map[string]string{
		`$'it\'s\ta \E[1mü\001'`:               `$'[redacted:TOKEN]'`,
		`$'it\'s\ta \E[1m\303\274\001'`:        `$'[redacted:TOKEN]'`,
		`'it'\''s'$'\t''a '$'\E''[1mü'$'\001'`: `'[redacted:TOKEN]'`,
		`$'first line\nsecond \'line\''`:       `$'[redacted:LINES]'`,
		`"first line\nsecond 'line'"`:          `"[redacted:LINES]"`,
		`\#start~of=word`:                      `[redacted:START]`,
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// Each digit of hexadecimal text may have either case.
func TestRedactorMixedCase(t *testing.T) {
	r := New()
	r.Hide("TOKEN", "jklmno~jklmno~jklmno")
	digits := hexText("jklmno~jklmno~jklmno")
	for _, text := range []string{digits, strings.ToUpper(digits), digits[:20] + strings.ToUpper(digits[20:])} {
		if got := r.Text("X" + text); got != "X[redacted:TOKEN]" {
			t.Errorf("%s: got %s", text, got)
		}
	}
	r.Hide("WORD", "SecretWord")
	if got := r.Text("secretword"); got != "secretword" {
		t.Errorf("a text of another case is redacted: %s", got)
	}
}
