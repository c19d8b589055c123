package deploy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// checkSizes returns a *secrets.FileError if the values do not fit into a Secret, or if no container can get one of
// them as an environment variable, unless asFiles has its name. The error has names and sizes, never a value.
func checkSizes(files *secrets.Layers, values map[string]secrets.Value, asFiles []string) error {
	total := 0
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := values[name].Reveal()
		total += len(text)
		problem := ""
		if !slices.Contains(asFiles, name) {
			problem = infraspec.TooLong(name, len(text))
		}
		if strings.Contains(text, "\x00") {
			problem = name + " contains a NUL byte, which an environment variable cannot hold"
		}
		if problem != "" {
			return &secrets.FileError{
				Path: files.PathOf(name), Problem: problem,
				Advice: fmt.Sprintf("set a shorter value with %s, or remove the name from secrets",
					files.Place().SetCommand(name)),
			}
		}
	}
	if total > infraspec.MaxSecret {
		return &secrets.FileError{
			Path: files.Place().Own(),
			Problem: fmt.Sprintf("the declared values total %d bytes, more than the limit of %d for a Secret",
				total, infraspec.MaxSecret),
			Advice: "remove the names of large values from secrets",
		}
	}
	return nil
}
