package infraspec

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Place returns where the file sets key, such as "infraspec.yaml line 4", or "" if it does not. A key with [] is that
// of the first item that has it. A nil Spec sets nothing.
func (s *Spec) Place(key string) string {
	if s == nil {
		return ""
	}
	if list, rest, ok := strings.Cut(key, "[]"); ok {
		key = ""
		for i := 0; key == "" && s.Has(fmt.Sprintf("%s[%d]", list, i)); i++ {
			if item := fmt.Sprintf("%s[%d]%s", list, i, rest); s.Has(item) {
				key = item
			}
		}
	}
	if key == "" || !s.Has(key) {
		return ""
	}
	return fmt.Sprintf("%s line %d", filepath.Base(s.Path()), s.Finding(key, Note, "", "").Line)
}
