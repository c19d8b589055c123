package infraspec

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// canaries are secret values in every YAML notation. Each contains hunter2.
var canaries = []string{
	"hunter2!", "abc,hunter2", "ab}hunter2", "abc]hunter2", "abc#hunter2", "abc #hunter2", "hunter2: x", "x: hunter2",
	"[hunter2!]", "{a: hunter2}",
	"*hunter2", "!hunter2 x", "&hunter2 x", "!!int hunter2", "'it''s hunter2'", `"it\"s hunter2"`, `"a\qhunter2"`,
	"\"abc\n    hunter2\"", "|\n    hunter2\n    more", ">-\n    hunter2",
	"\n    hunter2!", "\n    - hunter2!", "\n    a: hunter2", "\"abc\n    hunter2\" junk", "@hunter2", "`hunter2`",
	"|hunter2", "- hunter2", "? hunter2", "\n\thunter2", "'hunter2", "[hunter2!", "{hunter2: ",
	"API_TOKEN=hunter2 ./run --password hunter2", "postgres://u:p@hunter2@h/db", "postgres://u:ab/hunter2@h/db",
	"postgres://h/db?password=hunter2", "https://hunter2@h/x", "/9hunter2abc",
	"correct horse hunter2", "<<: hunter2", "hunter2\x01", "hunter2\xff", "hunter2\u2028x",
	strings.Repeat("x", 300) + "hunter2",
}

// contexts lists places where a secret may appear, valid or not.
var contexts = []string{
	"env: {API_TOKEN: %s}", "env:\n  API_TOKEN: %s\n  1A: x", "env:\n  1A: x\n  ANY: %s", "env: %s",
	"env: [{name: X, value: %s}]", "env:\n  - name: X\n    value: %s", "env: {%s}", "env: {API_TOKEN=%s}",
	"secrets: [%s]", "secrets:\n  - %s\n  - bad!", "secrets: {TOKEN: %s}", "secrets:\n  TOKEN: %s\nsecrets: [X]",
	"secrets: !", "secret: {TOKEN: %s}", "secret:\n  TOKEN: %s", "secrets:\n  - API_TOKEN=%s",
	"command: %s\nport: x", "command: [%s, {}]", "comand: %s", "migrations: {command: %s, database: []}",
	"verify: %s\nport: x", "verify: [%s, {}]",
	"build: {test: %s, dockerfile: /x}", "build: {tset: %s}",
	"repo: {url: %s}", "repo: {ulr: %s}", "repo: {webhookSecret: %s, autoDeploy: x}", "apiToken: %s", "port: x # %s",
	"# %s\nport: x", "%s",
	"alerts: {window: x} # %s", "volumes:\n  - name: a\n    token: %s", "services: {postgres: {password: %s}}",
	"<<: {TOKEN: %s}", "x: &x %s\nenv: {A: *x, 1A: x}",
}

// misplacedSecrets lists files with a secret in an unexpected place.
var misplacedSecrets = []string{
	"hosts: {external: 'https://u:hunter2@h/'}", "services: {postgres: 'postgres://u:hunter2@h/d'}",
	"migrations: psql postgres://u:hunter2@h/d", "hosts: hunter2",
	"secrets: [ghp_hunter2hunter2hunter2hunter2, ghp_hunter2hunter2hunter2hunter2]", "build: './x --password hunter2'",
	"command: ./x --token=hunter2", "verify: ./x --token=hunter2", "healthcheck: /h?token=hunter2",
	"env: {DSN: host=db password=hunter2}", "env: {AUTH: Basic aHVudGVyMg==hunter2}", "replicas: token=hunter2",
	"schedule: --password=hunter2",
}

func TestNoFindingShowsAMisplacedSecret(t *testing.T) {
	for _, text := range misplacedSecrets {
		_, found := inspect("f", []byte("app: shop\nrole: worker\n"+text+"\n"))
		if len(found) == 0 {
			t.Errorf("%q: no findings", text)
		}
		if shown := listing(found); strings.Contains(shown, "hunter2") {
			t.Errorf("%q: a finding shows the secret:\n%s", text, shown)
		}
	}
}

// No finding shows a secret in its message, its excerpt or its JSON.
func TestNoFindingShowsASecret(t *testing.T) {
	for _, context := range contexts {
		for _, canary := range canaries {
			if context == "%s" && (canary == "hunter2: x" || canary == "? hunter2") {
				continue // norn shows keys
			}
			text := "app: shop\nrole: worker\n" + strings.ReplaceAll(context, "%s", canary) + "\nprot: 1\n"
			_, found := inspect("f", []byte(text))
			data, err := json.Marshal(found)
			if err != nil {
				t.Fatal(err)
			}
			if shown := listing(found) + string(data) + fmt.Sprintf("%+v", found); strings.Contains(shown, "hunter2") {
				t.Errorf("%q: a finding shows the secret:\n%s", text, listing(found))
			}
		}
	}
}

// Generated secrets do not have the shape of ordinary text. The seed makes each run try the same ones: of a hundred
// thousand texts in base64, one looks like two words by chance.
func TestGeneratedSecretsAreNotOrdinary(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for range 1000 {
		raw := make([]byte, 16)
		_, _ = random.Read(raw)
		text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw) // as crypto/rand.Text does
		raw = raw[:12]
		for _, secret := range []string{
			text, hex.EncodeToString(raw), base64.StdEncoding.EncodeToString(raw),
			base64.RawURLEncoding.EncodeToString(raw), fmt.Sprintf("%x-%x-%x", raw[:4], raw[4:8], raw[8:]),
		} {
			if isOrdinary("NAME", secret) {
				t.Errorf("%q is ordinary", secret)
			}
		}
	}
}

// Excerpts show text that cannot be a secret, so that users can recognize the line.
func TestExcerptsAreReadable(t *testing.T) {
	for text, want := range map[string]string{
		"port: 70000":                        "port: 70000",
		"replicas: many # so many":           "replicas: many # so many",
		"replicas: many # the key is x9y8z7": "replicas: many * *** *** ** ******",
		"env: {1A: b, LOG: debug}":           "env: {1A: b, LOG: debug}",
		"volumes: [{name: a, mountPath: b}]": "volumes: [{name: a, mountPath: b}]",
		"secrets: [GOOD, bad!, GOOD]":        "secrets: [GOOD, ****, GOOD]",
		"hosts: {internal: 1x":               "hosts: ********** **",
		"port: 'a":                           "port: 'a",

		// A mistyped key shows its value like the key that was meant.
		"repliccas: 3":            "repliccas: 3",
		"healthchek: /healthz?a1": "healthchek: /healthz?a1",
		"secert: [GOOD, bad!]":    "secert: [GOOD, *****",
		"comand: ./run -p x9y8z7": "comand: ***** ** ******",
		"hots: {internal: shop}":  "hots: {internal: shop}",

		// Other unknown keys, and env, show what cannot be a secret.
		"securityContext: {runAsNonRoot: true}":           "securityContext: {runAsNonRoot: true}",
		"ingress: {host: shop.example.com, class: nginx}": "ingress: {host: shop.example.com, class: nginx}",
		"auth: {user: shop, password: shop}":              "auth: {user: ****, password: *****",
		"credentials: {user: shop}":                       "credentials: {user: *****",
		"sentry: https://x9y8z7@sentry.example.com/1":     "sentry: ***********************************",
		"session: 3fb2479a8c42f":                          "session: *************",
		"session: qWeRtYuIoP":                             "session: **********",
		"env: {PORT: 80, 1A: x}\nport: 8080":              "env: {PORT: 80, 1A: x}",
		"env: {NAME: x9y8z7, 1A: x}":                      "env: {NAME: ******, 1A: x}",
		"env: {API_TOKEN: shop, 1A: x}":                   "env: {API_TOKEN: ****, 1A: x}",
		"env: {DB: 'postgres://u:shop@h/d', 1A: x}":       "env: {DB: ***********************, 1A: x}",
	} {
		_, found := inspect("f", []byte("app: shop\nrole: worker\n"+text+"\n"))
		shown, masked := "", false
		for _, f := range found {
			if f.Line == 3 {
				shown, masked = f.Source, f.Masked
			}
		}
		if shown != want || masked != strings.Contains(want, "*") {
			t.Errorf("%q is shown as\n%q (masked: %v), want\n%q", text, shown, masked, want)
		}
	}
}
