package validate

import (
	"fmt"
	"slices"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// tooLarge reports declared values that no container can get, and more values than a Secret can hold.
func tooLarge(
	spec *infraspec.Spec, entries []secrets.Entry,
	finding func(key string, severity infraspec.Severity, format string, args ...any) infraspec.Finding,
) []infraspec.Finding {
	var found []infraspec.Finding
	total := 0
	for _, e := range entries {
		i := slices.Index(spec.Secrets, e.Name)
		if i < 0 || !infraspec.IsVariable(e.Name) {
			continue
		}
		total += e.Size
		if why := infraspec.TooLong(e.Name, e.Size); why != "" {
			found = append(found, finding(fmt.Sprintf("secrets[%d]", i), infraspec.Error, "%s", why))
		}
	}
	if total > infraspec.MaxSecret {
		found = append(found, finding("secrets", infraspec.Error,
			"the values of these names total %d bytes, more than the limit of %d for a Secret", total,
			infraspec.MaxSecret))
	}
	return found
}
