package secrets

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layered creates a key and rules, and the files of an app with the given texts, encrypted.
func layered(t *testing.T, texts map[string]string) Place {
	t.Helper()
	path, _ := own(t)
	dir := filepath.Dir(path)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		err := Update(t.Context(), filepath.Join(dir, name), func(f *File) error {
			_, err := f.Replace([]byte(texts[name]))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return Place{Dir: dir, Environment: "staging"}
}

const stagingName = "secrets.staging.enc.yaml"

// The values of the environment's file replace those of the common one by name. Either file may be missing.
func TestLayers(t *testing.T) {
	const common, other = "A: common-a\nB: common-b\n", "B: production-b\nP: production-p\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // the values of A, B and C, each with its file; or the error
	}{
		{"both", map[string]string{FileName: common, stagingName: "B: staging-b\nC: staging-c\n"},
			"A=common-a of secrets.enc.yaml, B=staging-b of secrets.staging.enc.yaml, C=staging-c of secrets.staging.enc.yaml"},
		{"only the environment's", map[string]string{stagingName: "A: 1\nB: \"\"\nC: 3\n"},
			"A=1 of secrets.staging.enc.yaml, B= of secrets.staging.enc.yaml, C=3 of secrets.staging.enc.yaml"},
		{"only the common", map[string]string{FileName: common + "C: common-c\n"},
			"A=common-a of secrets.enc.yaml, B=common-b of secrets.enc.yaml, C=common-c of secrets.enc.yaml"},
		{"an empty value", map[string]string{FileName: common + "C: c\n", stagingName: "B:\n"},
			"A=common-a of secrets.enc.yaml, B= of secrets.staging.enc.yaml, C=c of secrets.enc.yaml"},
		{"a name in neither", map[string]string{FileName: common, stagingName: "B: staging-b\n"},
			"secrets.staging.enc.yaml: no value for C here or in secrets.enc.yaml, which the infraspec declares; " +
				"set it with norn secrets set C --env staging, or remove the name from the infraspec"},
		{"names in neither", map[string]string{FileName: "A: 1\n"},
			"secrets.staging.enc.yaml: no value for B, C here or in secrets.enc.yaml, which the infraspec declares; " +
				"set it with norn secrets set NAME --env staging, or remove the name from the infraspec"},
		{"no file", nil, "secrets.staging.enc.yaml: neither this file nor secrets.enc.yaml exists; create it with " +
			"norn secrets set NAME --env staging; or remove the names under secrets: in the infraspec"},
		{"a list over a text", map[string]string{FileName: common, stagingName: "B: [x]\nC: c\n"},
			"secrets.staging.enc.yaml: B cannot be an environment variable: the value is a list or a mapping; " +
				"store it as text, such as JSON, with norn secrets set"},
		{"a text over a list", map[string]string{FileName: "A: a\nB: [x]\n", stagingName: "B: b\nC: c\n"},
			"A=a of secrets.enc.yaml, B=b of secrets.staging.enc.yaml, C=c of secrets.staging.enc.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"secrets.production.enc.yaml": other}
			for name, text := range c.files {
				files[name] = text
			}
			place := layered(t, files)
			if got := picked(t, place); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// picked returns the values of A, B and C with their files, or the error.
func picked(t *testing.T, place Place) string {
	t.Helper()
	l, err := OpenLayers(t.Context(), place)
	var values map[string]Value
	if err == nil {
		defer l.Close()
		values, err = l.Pick([]string{"C", "A", "B"})
	}
	if file, ok := errors.AsType[*FileError](err); ok {
		return filepath.Base(file.Path) + ": " + file.Problem + "; " + file.Advice
	}
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range []string{"A", "B", "C"} {
		got = append(got, name+"="+values[name].Reveal()+" of "+filepath.Base(l.PathOf(name)))
	}
	return strings.Join(got, ", ")
}

// Each has the values that others replace too, so that output shows neither.
func TestLayersHideReplacedValues(t *testing.T) {
	place := layered(t, map[string]string{FileName: "A: common-a\n", stagingName: "A: staging-a\n"})
	l, err := OpenLayers(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var hidden []string
	l.Each(func(name string, v Value) { hidden = append(hidden, name+"="+v.Reveal()) })
	if got := strings.Join(hidden, " "); got != "A=common-a A=staging-a" {
		t.Errorf("hidden: %s", got)
	}
}

// Entries lists each name once, with the file that its value comes from.
func TestEntriesOfLayers(t *testing.T) {
	place := layered(t, map[string]string{FileName: "A: a\nB: b\n", stagingName: "C: c\nA: longer\n"})
	entries, err := place.Entries()
	var got []string
	for _, e := range entries {
		got = append(got, e.Name+" "+e.File)
	}
	const want = "A secrets.staging.enc.yaml, B secrets.enc.yaml, C secrets.staging.enc.yaml"
	if text := strings.Join(got, ", "); err != nil || text != want || entries[0].Size != len("longer") {
		t.Errorf("%s, size %d, error %v", text, entries[0].Size, err)
	}
	if _, err := (Place{Dir: t.TempDir(), Environment: "e"}).Entries(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// A link to nothing is not a missing file: the common value would silently take the place of the environment's.
func TestLayersRefuseBrokenLink(t *testing.T) {
	place := layered(t, map[string]string{FileName: "A: a\nB: b\nC: c\n"})
	if err := os.Symlink("nosuch", place.Own()); err != nil {
		t.Fatal(err)
	}
	if got := picked(t, place); !strings.HasPrefix(got, stagingName+": the file does not exist") {
		t.Error(got)
	}
	if _, err := place.Entries(); err == nil {
		t.Error("no error")
	}
}

func TestEnvironmentOf(t *testing.T) {
	for name, want := range map[string]string{
		"secrets.enc.yaml": "", "secrets.staging.enc.yaml": "staging", "secrets.a.b.enc.yaml": "", "secrets..enc.yaml": "",
		"secrets.yaml": "", "secrets.staging.enc.yml": "", "xsecrets.a.enc.yaml": "", "secrets.enc.enc.yaml": "enc",
	} {
		if got, ok := EnvironmentOf(name); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v", name, got, ok)
		}
	}
}

// A new file of an environment is for the recipients of its rule, or else for those of the common file.
func TestNewFileOfEnvironment(t *testing.T) {
	const colleague = "age1q0x6qp276tmrk5mauy3lslgpp5e25whz0ts525yxjen5s3tm73psew428s"
	rule := func(regex string, recipients ...string) string {
		return "  - path_regex: " + regex + "\n    age:\n      - " + strings.Join(recipients, "\n      - ") + "\n"
	}
	for _, c := range []struct {
		name      string
		common    bool
		rules     func(me string) string // "" for no rules
		inherited bool
		want      string // "me", "both" or the error
	}{
		{"a rule of its own", true, func(me string) string {
			return rule(`secrets\.staging\.enc\.yaml$`, me) + rule(`secrets\.enc\.yaml$`, me, colleague)
		}, false, "me"},
		{"the common file's rule only", false, func(me string) string {
			return rule(`(^|/)secrets\.enc\.yaml$`, me, colleague)
		}, true, "both"},
		{"the common file", true, func(string) string { return "" }, true, "both"},
		{"neither", false, func(string) string { return "" }, true, "there is no .sops.yaml with its recipients"},
		{"another rule", false, func(me string) string { return rule("elsewhere", me) }, true,
			"no rule in creation_rules matches"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, setup := own(t)
			place, rules := Place{Dir: filepath.Dir(path), Environment: "staging"}, filepath.Join(filepath.Dir(path), RulesName)
			write := func(text string) { put(t, rules, "creation_rules:\n"+text) }
			if write(rule(`secrets\.enc\.yaml$`, setup.Recipient, colleague)); c.common {
				if err := set(t.Context(), path, "A", "common"); err != nil {
					t.Fatal(err)
				}
			}
			if text := c.rules(setup.Recipient); text != "" {
				write(text)
			} else if err := os.Remove(rules); err != nil {
				t.Fatal(err)
			}
			if got := Inherited(place.Own()); got != c.inherited {
				t.Errorf("inherited: %v", got)
			}
			err := set(t.Context(), place.Own(), "A", "staging")
			if err != nil {
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v", err)
				}
				return
			}
			got := "me"
			if strings.Contains(get(t, place.Own()), colleague) {
				got = "both"
			}
			if got != c.want || values(t, place.Own())["A"] != "staging" {
				t.Errorf("for %s, want %s", got, c.want)
			}
			if _, err := Rotate(t.Context(), place.Own()); err != nil {
				t.Errorf("rotate: %v", err)
			}
		})
	}
}

// The rules of norn secrets init match the files of all environments.
func TestInitRulesMatchEnvironments(t *testing.T) {
	path, setup := own(t)
	for _, name := range []string{FileName, stagingName, "secrets.eu-west-1.enc.yaml"} {
		if rule, _, err := creationRule(filepath.Join(filepath.Dir(path), name)); err != nil || rule == nil {
			t.Errorf("%s: error %v, rules in %s", name, err, setup.Rules)
		}
	}
	for _, name := range []string{"other.enc.yaml", "secrets.staging.yaml", "mysecrets.enc.yaml"} {
		if _, _, err := creationRule(filepath.Join(filepath.Dir(path), name)); err == nil {
			t.Errorf("%s matches", name)
		}
	}
}
