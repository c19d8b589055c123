package secrets

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sopsCommand runs the real sops, which hack/sops builds.
type sopsCommand struct {
	t    *testing.T
	path string
}

func realSops(t *testing.T) sopsCommand {
	t.Helper()
	path := os.Getenv("NORN_TEST_SOPS")
	if path == "" {
		t.Skip("no sops: run make unit")
	}
	return sopsCommand{t, path}
}

// run runs sops in the file's folder, where it looks for .sops.yaml, and returns its output.
func (s sopsCommand) run(file string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(s.path, append(args, filepath.Base(file))...)
	cmd.Dir = filepath.Dir(file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("sops %v: %v\n%s", args, err, stderr.String())
	}
	return string(out)
}

// everything is a file with every kind of value in YAML and SOPS.
const everything = `# about the file
TOKEN: secret text
# about the next
# in two lines
EMPTY: ""
NOTHING: null
NUMBER: 5432
NEGATIVE: -7
FLOAT: 1.25
YES: true
NO: false
QUOTED: "012 # no comment"
SPACES: '  around  '
UNICODE: grüße ☃
WHEN: 2024-05-06T07:08:09Z
MULTI: |
    first line
      second line

    last line
FOLDED: "one\ttwo\\three\nfour"
BINARY: !!binary AAH+/w==
visible_unencrypted: everybody reads this
nested:
    # inside
    user: me
    list:
        - one
        - 2
        - deeper: three
LAST: the end # beside it
`

// rulesOf returns a .sops.yaml for each SOPS feature that changes the file's format.
func rulesOf(t *testing.T, mine, theirs string) map[string]string {
	t.Helper()
	return map[string]string{
		"plain": "creation_rules: [{age: " + mine + "}]\n",
		"by path": "creation_rules:\n- {path_regex: other, age: " + theirs + "}\n" +
			"- {path_regex: 'secrets\\.enc\\.yaml$', age: " + mine + "}\n",
		"several recipients":  "creation_rules: [{age: [" + theirs + ", " + mine + "]}]\n",
		"encrypted_regex":     "creation_rules: [{age: " + mine + ", encrypted_regex: '^(TOKEN|MULTI|BINARY|nested)$'}]\n",
		"unencrypted_regex":   "creation_rules: [{age: " + mine + ", unencrypted_regex: '^(NUMBER|UNICODE)$'}]\n",
		"encrypted_suffix":    "creation_rules: [{age: " + mine + ", encrypted_suffix: N}]\n",
		"unencrypted_suffix":  "creation_rules: [{age: " + mine + ", unencrypted_suffix: _unencrypted}]\n",
		"unencrypted comment": "creation_rules: [{age: " + mine + ", unencrypted_comment_regex: 'two lines'}]\n",
		"encrypted comment":   "creation_rules: [{age: " + mine + ", encrypted_comment_regex: 'about'}]\n",
		"mac_only_encrypted": "creation_rules: [{age: " + mine + ", " +
			"mac_only_encrypted: true, encrypted_regex: '^TOKEN$'}]\n",
		"shamir": "creation_rules:\n- shamir_threshold: 2\n  key_groups:\n  - {age: [" + mine + "]}\n" +
			"  - {age: [" + theirs + "]}\n  - {age: [" + mine + "]}\n",
		"indent": "stores: {yaml: {indent: 2}}\ncreation_rules: [{age: " + mine + "}]\n",
	}
}

// theirKey is the sample app's public key, used as another recipient's.
const theirKey = "age1q0x6qp276tmrk5mauy3lslgpp5e25whz0ts525yxjen5s3tm73psew428s"

// norn reads and changes a file written by sops. sops reads the result, with order and comments unchanged.
func TestSopsToNornToSops(t *testing.T) {
	sops := realSops(t)
	path, s := own(t)
	for name, rules := range rulesOf(t, s.Recipient, theirKey) {
		t.Run(name, func(t *testing.T) {
			sops := sopsCommand{t, sops.path}
			put(t, s.Rules, rules)
			put(t, path, everything)
			sops.run(path, "encrypt", "--in-place")
			before := sops.run(path, "decrypt")
			got := values(t, path)
			for name, want := range map[string]string{
				"TOKEN": "secret text", "EMPTY": "", "NOTHING": "", "NUMBER": "5432", "NEGATIVE": "-7", "FLOAT": "1.25",
				"YES": "true", "NO": "false", "QUOTED": "012 # no comment", "SPACES": "  around  ", "UNICODE": "grüße ☃",
				"WHEN": "2024-05-06T07:08:09Z", "MULTI": "first line\n  second line\n\nlast line\n",
				"FOLDED": "one\ttwo\\three\nfour",
				"BINARY": "\x00\x01\xfe\xff", "visible_unencrypted": "everybody reads this", "LAST": "the end",
			} {
				if got[name] != want {
					t.Errorf("%s: norn reads %q, want %q", name, got[name], want)
				}
			}
			if err := set(t.Context(), path, "TOKEN", "another text"); err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(before, "secret text", "another text", 1)
			if after := sops.run(path, "decrypt"); after != want {
				t.Errorf("sops reads\n%s\nwant\n%s", after, want)
			}
			if _, err := Rotate(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			if after := sops.run(path, "decrypt"); after != want {
				t.Errorf("after a rotation sops reads\n%s\nwant\n%s", after, want)
			}
		})
	}
}

// norn and sops create the same file, and sops can change a file created by norn.
func TestNornToSopsToNorn(t *testing.T) {
	sops := realSops(t)
	path, s := own(t)
	for name, rules := range rulesOf(t, s.Recipient, theirKey) {
		t.Run(name, func(t *testing.T) {
			sops := sopsCommand{t, sops.path}
			put(t, s.Rules, rules)
			theirs := filepath.Join(filepath.Dir(path), "theirs", FileName)
			put(t, theirs, everything)
			put(t, filepath.Join(filepath.Dir(theirs), RulesName), rules)
			sops.run(theirs, "encrypt", "--in-place")
			_ = os.Remove(path)
			err := Update(t.Context(), path, func(f *File) error { _, err := f.Replace([]byte(everything)); return err })
			if err != nil {
				t.Fatal(err)
			}
			if got, want := shapeOf(get(t, path)), shapeOf(get(t, theirs)); got != want {
				t.Errorf("norn wrote\n%s\nsops would have written\n%s", got, want)
			}
			if got, want := sops.run(path, "decrypt"), sops.run(theirs, "decrypt"); got != want {
				t.Errorf("sops reads\n%s\nwant\n%s", got, want)
			}
			cmd := exec.Command(sops.path, "set", filepath.Base(path), `["TOKEN"]`, `"from sops"`)
			cmd.Dir = filepath.Dir(path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := values(t, path); got["TOKEN"] != "from sops" || got["BINARY"] != "\x00\x01\xfe\xff" {
				t.Error("norn does not read the values that sops has set")
			}
		})
	}
}

// shapeOf returns an encrypted file without the parts that change with each encryption.
func shapeOf(text string) string {
	var out []string
	block := false
	for line := range strings.Lines(text) {
		block = block && !strings.Contains(line, "-----END")
		if block {
			continue
		}
		block = strings.Contains(line, "-----BEGIN")
		for {
			from := strings.Index(line, "ENC[AES256_GCM,data:")
			if from < 0 {
				break
			}
			to := from + strings.Index(line[from:], "type:")
			line = line[:from] + "<" + line[to:]
		}
		if strings.HasPrefix(strings.TrimSpace(line), "lastmodified:") {
			line = "lastmodified\n"
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// norn and sops show the same text in an editor.
func TestPlainIsSops(t *testing.T) {
	sops := realSops(t)
	path, s := own(t)
	put(t, s.Rules, "creation_rules: [{age: "+s.Recipient+"}]\n")
	put(t, path, everything)
	sops.run(path, "encrypt", "--in-place")
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	plain, err := f.Plain()
	if err != nil {
		t.Fatal(err)
	}
	theirs := sops.run(path, "decrypt")
	// sops moves an inline comment above its value; norn does not.
	moved := strings.Replace(string(plain), "LAST: the end # beside it\n", "# beside it\nLAST: the end\n", 1)
	if moved != theirs {
		t.Errorf("norn shows\n%s\nsops shows\n%s", plain, theirs)
	}
}
