package database

import (
	"strings"
	"testing"
)

// Whatever a DATABASE_URL contains, norn reads it or refuses it, and no value adds a line to libpq's service file.
func FuzzConnectionTo(f *testing.F) {
	for _, address := range []string{
		"", "postgres://me:s%20ecret@db:5433/other?sslmode=disable", "postgresql://[::1]:5432,h2/x?hostaddr=::1",
		"postgres://app:pa#s^{s} w?rd@db/shop", "jdbc:postgresql://db/shop?user=me&password=a%26b&ssl=true",
		`host=db password='a \'b\\' sslmode=no-verify`, "host='", "=", "a=\\", "postgres://%", "postgres://@/?&=",
		"postgresql+asyncpg://me@h1:1,h2:2/x", "host=a\nb", "postgres://me:a%0Ahost=evil@db/x",
	} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		c, err := ConnectionTo("shop", address, Settings{})
		if err != nil {
			return
		}
		if lines := strings.Count(c.serviceFile(), "\n"); lines != len(c)+1 || c["dbname"] != "shop" {
			t.Errorf("%d parameters, %d lines: %q", len(c), lines, c.serviceFile())
		}
	})
}
