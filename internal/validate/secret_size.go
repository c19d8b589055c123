package validate

import (
	"fmt"
	"slices"

	"norn/pkg/infraspec"
	"norn/pkg/secrets"
)

// sizes reports declared values that no container can get, and more values than a Secret can hold.
func (c *secretFiles) sizes(entries []secrets.Entry) {
	total := 0
	for _, e := range entries {
		i := slices.Index(c.spec.Secrets, e.Name)
		if i < 0 || !infraspec.IsVariable(e.Name) {
			continue
		}
		total += e.Size
		if why := infraspec.TooLong(e.Name, e.Size); why != "" {
			c.add(fmt.Sprintf("secrets[%d]", i), infraspec.Error, "%s", why)
		}
	}
	if total > infraspec.MaxSecret {
		c.add("secrets", infraspec.Error,
			"the values of these names total %d bytes, more than the limit of %d for a Secret", total,
			infraspec.MaxSecret)
	}
}
