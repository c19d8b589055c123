package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/security.md names only tests that exist.
func TestSecurityPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	tests := map[string]bool{}
	err = filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != root:
			return fs.SkipDir
		case strings.HasSuffix(file, ".txtar"):
			tests[entry.Name()] = true
		case strings.HasSuffix(file, "_test.go"):
			code, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for _, match := range function.FindAllSubmatch(code, -1) {
				tests[string(match[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile("`((?:Test|Fuzz)\\w+|[\\w-]+\\.txtar)").FindAllSubmatch(page, -1) {
		if name := string(match[1]); !tests[name] {
			t.Errorf("docs/security.md names the test %s, which does not exist", name)
		}
	}
}
