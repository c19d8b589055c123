package source

import (
	"path/filepath"
	"strings"
)

// gitlink is a submodule in a commit.
type gitlink struct {
	path   string // from the top of the repository
	commit string // its checked-out commit
}

// parseGitlinks returns the submodules in the output of git ls-tree -r -z, which has entries of the form
// "MODE KIND NAME\tPATH" (man git-ls-tree). It ignores a path that leads out of the repository, which git also refuses.
func parseGitlinks(list string) []gitlink {
	var out []gitlink
	for entry := range strings.SplitSeq(list, "\x00") {
		info, path, ok := strings.Cut(entry, "\t")
		fields := strings.Split(info, " ")
		if ok && filepath.IsLocal(path) && len(fields) == 3 && fields[0] == "160000" && fields[1] == "commit" {
			out = append(out, gitlink{path, fields[2]})
		}
	}
	return out
}

// module is a submodule's entry in .gitmodules.
type module struct{ name, update string }

// parseModules returns the entries of .gitmodules by path. list is the output of git config -z --list: entries of
// the form "KEY\nVALUE" (man git-config).
func parseModules(list string) map[string]module {
	byName, paths := map[string]module{}, map[string]string{}
	for entry := range strings.SplitSeq(list, "\x00") {
		key, value, _ := strings.Cut(entry, "\n")
		name, ok := strings.CutPrefix(key, "submodule.")
		at := strings.LastIndexByte(name, '.')
		if !ok || at < 0 {
			continue
		}
		name, key = name[:at], name[at+1:]
		switch key {
		case "path":
			paths[name] = value
		case "update":
			byName[name] = module{name, value}
		}
	}
	out := map[string]module{}
	for name, path := range paths {
		out[path] = module{name, byName[name].update}
	}
	return out
}

// parseRefs returns the names in the output of git for-each-ref, which has one per line.
func parseRefs(list string) []string {
	var out []string
	for line := range strings.SplitSeq(list, "\n") {
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

// oneLine returns git's answer without the line break that ends it. A path can itself end in white space.
func oneLine(answer string) string { return strings.TrimSuffix(answer, "\n") }
