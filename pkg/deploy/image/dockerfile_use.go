package image

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"norn/internal/regularfile"
)

// ownArg matches a use of norn's own build args.
var ownArg = regexp.MustCompile(`\$\{?(VERSION|BUILD_NUMBER)\b`)

// BaseImageArgs returns norn's build args that a Dockerfile gives a default before the first FROM and uses in a FROM,
// as in ARG VERSION=3.19 and FROM alpine:$VERSION. norn's own value would select a base image that does not exist.
func BaseImageArgs(dockerfile string) []string {
	var defaults, used []string
	before := true
	for _, i := range readDockerfile(dockerfile) {
		switch {
		case i.name == "FROM":
			before = false
			for _, m := range ownArg.FindAllStringSubmatch(i.arguments, -1) {
				used = append(used, m[1])
			}
		case i.name == "ARG" && before:
			for _, word := range strings.Fields(i.arguments) {
				if name, _, ok := strings.Cut(word, "="); ok {
					defaults = append(defaults, name)
				}
			}
		}
	}
	slices.Sort(used)
	return slices.DeleteFunc(slices.Compact(used), func(name string) bool { return !slices.Contains(defaults, name) })
}

// Declares reports whether a Dockerfile declares a build arg.
func Declares(dockerfile, arg string) bool {
	return slices.ContainsFunc(readDockerfile(dockerfile), func(i instruction) bool {
		return i.name == "ARG" && slices.ContainsFunc(strings.Fields(i.arguments), func(word string) bool {
			name, _, _ := strings.Cut(word, "=")
			return name == arg
		})
	})
}

// CopySources returns the files and patterns that a Dockerfile copies from the build context. It omits here-documents,
// and names that contain variables.
func CopySources(dockerfile string) []string {
	var out []string
	for _, i := range readDockerfile(dockerfile) {
		if i.name != "COPY" && i.name != "ADD" {
			continue
		}
		if strings.Contains(i.arguments, "--from=") || strings.Contains(i.arguments, "<<") {
			continue
		}
		words := strings.Fields(i.arguments)
		for len(words) > 0 && strings.HasPrefix(words[0], "--") {
			words = words[1:]
		}
		var list []string
		if json.Unmarshal([]byte(strings.Join(words, " ")), &list) == nil {
			words = list
		}
		for _, source := range words[:max(0, len(words)-1)] {
			if !strings.ContainsAny(source, "$\"'\\") && !strings.Contains(source, "://") {
				out = append(out, source)
			}
		}
	}
	return out
}

func readDockerfile(path string) []instruction {
	text, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		return nil
	}
	return parseDockerfile(string(text))
}
