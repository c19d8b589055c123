package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// awkward is a value with characters that quoting and escaping change, and that differ in URL-safe base64.
const awkward = `p@ss "word"\<ü>'&+/%?~~` + "\tend"

func TestRedactorForms(t *testing.T) {
	r := New()
	r.Hide("TOKEN", awkward)
	r.Hide("PEM", "-----BEGIN KEY-----\nabcdefghijkl\n  mnopqrstuvwx\nAb==\n-----END KEY-----\n")
	r.Hide("SHORT", "12345")
	r.Hide("SIX", "  tüßßen\n")
	r.Hide("STEPS", "ab\ncd\nef")
	r.Hide("URL", "postgres://me:pass%2Fword@db/x")
	quoted, _ := json.Marshal(map[string]string{"a": "x" + awkward})
	twice, _ := json.Marshal(string(quoted))
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("me", awkward), Host: "db", Path: "/" + awkward,
		RawQuery: url.Values{"t": {awkward}}.Encode(),
	}
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth("me", awkward)
	for _, c := range []struct{ name, text, want string }{
		{"password of a URL", "PGPASSWORD=pass/word", "PGPASSWORD=[redacted:URL]"},
		{"raw", "a" + awkward + "b", "a[redacted:TOKEN]b"},
		{"json", string(quoted), `{"a":"x[redacted:TOKEN]"}`},
		{"json in json", string(twice), `"{\"a\":\"x[redacted:TOKEN]\"}"`},
		{"go quotes", strconv.Quote(awkward), `"[redacted:TOKEN]"`},
		{"URL", u.String(), "postgres://me:[redacted:TOKEN]@db/[redacted:TOKEN]?t=[redacted:TOKEN]"},
		{"base64", base64.StdEncoding.EncodeToString([]byte(awkward)), "[redacted:TOKEN]"},
		{"base64 for URLs", base64.RawURLEncoding.EncodeToString([]byte(awkward)), "[redacted:TOKEN]"},
		{"hexadecimal", hex.EncodeToString([]byte(awkward)), "[redacted:TOKEN]"},
		{"shell", `'` + strings.ReplaceAll(awkward, `'`, `'\''`) + `'`, "'[redacted:TOKEN]'"},
		{
			"lines", "x -----BEGIN KEY-----\n> abcdefghijkl\n> mnopqrstuvwx\n",
			"x [redacted:PEM]\n> [redacted:PEM]\n> [redacted:PEM]\n",
		},
		{"too short", "12345", "12345"},
		{"six characters and white space", "«tüßßen»", "«[redacted:SIX]»"},
		{"only short lines", "1 ab\ncd\nef 2", "1 [redacted:STEPS] 2"},
		{"start of a value", "ab\ncd\nno", "ab\ncd\nno"},
	} {
		if got := r.Text(c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	got := r.Text(req.Header.Get("Authorization"))
	if !strings.Contains(got, "[redacted:TOKEN]") || len(got) > len("Basic 12345678[redacted:TOKEN]12345678") {
		t.Errorf("HTTP header: got %q", got)
	}
}

// If values overlap, the Redactor replaces the one that starts first, or of several, the longest.
func TestRedactorOverlaps(t *testing.T) {
	r := New()
	for name, value := range map[string]string{"A": "secret", "B": "secret-longer", "C": "longer-still", "D": "onger-"} {
		r.Hide(name, value)
	}
	for text, want := range map[string]string{
		"secret":              "[redacted:A]",
		"secret-longe":        "[redacted:A]-longe",
		"secret-longer":       "[redacted:B]",
		"secret-longer-still": "[redacted:B]-still",
		"longer-stil":         "l[redacted:D]stil",
		"secretsecret":        "[redacted:A][redacted:A]",
		"ssecret":             "s[redacted:A]",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// The output does not depend on how the text is split into writes. A Writer holds back only the beginning of a value.
func TestRedactorAcrossWrites(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 2000 {
		r := New()
		v := letters(rng, 6+rng.IntN(6))
		r.Hide("N0", v)
		for i := range rng.IntN(4) {
			r.Hide(fmt.Sprint("N", i+1), letters(rng, 6+rng.IntN(6)))
		}
		text := letters(rng, 200)
		for range 3 { // complete and partial values
			text += v + v[:rng.IntN(len(v))] + letters(rng, 20)
		}
		var out bytes.Buffer
		w := r.Writer(&out)
		for rest := text; rest != ""; {
			n := 1 + rng.IntN(min(len(rest), 30))
			if _, err := io.WriteString(w, rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			if held := w.(*Writer).filter.held; len(held) > 0 && !r.matcher().startsPattern(held) {
				t.Fatalf("round %d: %q is held back, but no value starts with it", round, held)
			}
		}
		_ = w.Close()
		if want := r.Text(text); out.String() != want {
			t.Fatalf("round %d: got\n%s\nwant\n%s\nof\n%s", round, out.String(), want, text)
		}
		if strings.Contains(out.String(), v) {
			t.Fatalf("round %d: %q is not redacted in %q", round, v, out.String())
		}
	}
}

// letters returns n random letters. The alphabet is small, so values start everywhere.
func letters(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abc"[rng.IntN(3)]
	}
	return string(b)
}

// Values can be added between writes.
func TestRedactorHideBetweenWrites(t *testing.T) {
	r := New()
	var out bytes.Buffer
	w := r.Writer(&out)
	_, _ = io.WriteString(w, "before hunter22\n")
	r.Hide("PW", "hunter22")
	_, _ = io.WriteString(w, "after hunter22\nhunt")
	r.Hide("OTHER", "another-value")
	_, _ = io.WriteString(w, "er22 another-value\n")
	if want := "before hunter22\nafter [redacted:PW]\n[redacted:PW] [redacted:OTHER]\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// BenchmarkRedact measures a redactor with 20 values on single lines, as in logs, and on blocks, as in builds. The
// required throughput is 500 MB/s.
func BenchmarkRedact(b *testing.B) {
	var log bytes.Buffer
	for i := range 20000 {
		fmt.Fprintf(&log, "2026-11-24T01:32:%02d.%06dZ INFO request id=%08x path=/api/v1/orders/%d status=200 "+
			"duration=%dms user-agent=\"Mozilla/5.0 (X11; Linux x86_64)\"\n", i%60, i, i*2654435761, i, i%300)
	}
	r := New()
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 20 {
		secret := make([]byte, 24)
		for j := range secret {
			secret[j] = byte(rng.IntN(256))
		}
		value := base64.RawURLEncoding.EncodeToString(secret)
		if i%4 == 0 {
			value = "postgres://app:" + value + "@db.example.com:5432/app?sslmode=require"
		}
		r.Hide(fmt.Sprint("SECRET_", i), value)
	}
	short := New()
	for i := range 20 {
		short.Hide(fmt.Sprint("SHORT_", i), base64.RawURLEncoding.EncodeToString([]byte{byte(i), 2, 3, byte(7 * i), 5})[:6])
	}
	lines := bytes.SplitAfter(log.Bytes(), []byte("\n"))
	var chunks [][]byte
	for rest := log.Bytes(); len(rest) > 0; rest = rest[min(32<<10, len(rest)):] {
		chunks = append(chunks, rest[:min(32<<10, len(rest))])
	}
	for _, c := range []struct {
		name   string
		r      *Redactor
		writes [][]byte
	}{
		{"20values/lines", r, lines},
		{"20values/32KiB", r, chunks},
		{"20of6characters/lines", short, lines},
		{"20of6characters/32KiB", short, chunks},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := c.r.Writer(io.Discard)
			b.SetBytes(int64(log.Len()))
			for b.Loop() {
				for _, p := range c.writes {
					if _, err := w.Write(p); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkHide measures many values of several lines, up to the first text that is redacted. The time grows with the
// size of the values, not with its square.
func BenchmarkHide(b *testing.B) {
	for _, n := range []int{20, 80, 320} {
		b.Run(fmt.Sprint(n, "keys"), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(5, 6))
			keys := make([]string, n)
			for i := range keys {
				secret := make([]byte, 1200)
				for j := range secret {
					secret[j] = byte(rng.IntN(256))
				}
				keys[i] = "-----BEGIN KEY-----\n" + broken(base64.StdEncoding.EncodeToString(secret), "\n", 64) +
					"\n-----END KEY-----\n"
			}
			b.ReportAllocs()
			for b.Loop() {
				r := New()
				for i, key := range keys {
					r.Hide(fmt.Sprint("KEY_", i), key)
				}
				_ = r.Text("text")
			}
		})
	}
}
