package validate

import (
	"slices"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// sizes reports declared values that no container can get, and more values than a Secret can hold.
func (c *secretFiles) sizes(entries []secrets.Entry) {
	total := 0
	for _, e := range entries {
		if !slices.Contains(c.spec.Secrets, e.Name) || !infraspec.IsVariable(e.Name) {
			continue
		}
		total += e.Size
		isFile := slices.Contains(c.spec.SecretFiles(), e.Name)
		if why := infraspec.TooLong(e.Name, e.Size); why != "" && !isFile {
			c.add(c.spec.SecretPath(e.Name), infraspec.Error, "%s", why)
		}
	}
	if total > infraspec.MaxSecret {
		c.add("secrets", infraspec.Error,
			"the values of these names total %d bytes, more than the limit of %d for a Secret", total,
			infraspec.MaxSecret)
	}
}
