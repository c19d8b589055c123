package canary

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var (
	doubleQuoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`")
	backslash    = regexp.MustCompile("[ '\"\\\\|&;()<>!{}*\\[?\\]^$`,]")
)

// plant generates values with characters that quoting, escaping and encoding change. It also generates the forms to
// search for.
func (a *canaryWorld) plant() {
	secret := rand.Text
	a.values = map[string]string{
		"PLAIN":      secret(),
		"AWKWARD":    `"'\ <&> %$+/?` + secret() + "\tü~",
		"ADDRESS":    "postgres://app:" + secret() + "/+=@db:5432/x?y=1",
		"LINES":      "-----BEGIN " + secret() + "-----\n" + secret() + secret() + "\n" + secret() + "\nAb==\n",
		"SIX":        "ß" + secret()[:5],
		"ROTATED":    secret(),
		"ROTATEDnew": secret(), // ROTATED after its rotation
		"CRASHno":    "no-" + secret(),
		"CRASHyes":   "yes-" + secret(),
	}
	// Words and numbers of norn's JSON: norn prints them in many places, so there are no forms to search for.
	a.words = map[string]string{"LEVEL": "output", "EVENTNAME": "started", "PIN": "123456", "ZERO": "000000"}
	a.forms = map[string]string{}
	for name, v := range a.values {
		add := func(how, form string) {
			if len(form) >= 6 {
				what := name + " " + how
				a.forms[what] = form
				a.starts[start(form)] = append(a.starts[start(form)], what)
			}
		}
		add("in hexadecimal", hex.EncodeToString([]byte(v)))
		for _, shift := range []int{0, 1, 2} { // base64 inside other data
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), v...))
			add(fmt.Sprint("in base64 ", shift), text[(shift*8+5)/6:(shift+len(v))*8/6])
			text = base64.URLEncoding.EncodeToString(append(make([]byte, shift), v...))
			add(fmt.Sprint("in base64 for URLs ", shift), text[(shift*8+5)/6:(shift+len(v))*8/6])
		}
		for _, width := range []int{64, 76} { // in lines, of which the first one begins with "me:"
			text := base64.StdEncoding.EncodeToString([]byte("me:" + v))
			for from, line := 4, 0; from < len(text); line++ {
				to := min((line+1)*width, len(text))
				if to-from >= 12 { // the end of a value also has padding
					add(fmt.Sprintf("in base64, line %d of %d digits", line, width), strings.TrimRight(text[from:to], "="))
				}
				from = to
			}
		}
		for i, line := range strings.Split(v, "\n") {
			if len([]rune(line)) < 6 {
				continue
			}
			quoted, err := json.Marshal(line)
			if err != nil {
				a.T.Fatal(err)
			}
			for how, form := range map[string]string{
				"": line, "in JSON": string(quoted[1 : len(quoted)-1]), "in a query": url.QueryEscape(line),
				"in a path": url.PathEscape(line), "in Go": fmt.Sprintf("%q", line)[1:],
				"in bash's export -p": doubleQuoted.Replace(line),
				"in bash's printf %q": backslash.ReplaceAllString(line, `\$0`),
				"in JSON in JSON":     doubleQuoted.Replace(string(quoted[1 : len(quoted)-1])),
			} {
				add(fmt.Sprintf("line %d %s", i, how), form)
			}
		}
	}
}
