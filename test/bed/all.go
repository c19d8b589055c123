package bed

import "os"

// All reports whether to run every row of a table, as make test-all does. make test runs at least one row of each.
func All() bool { return os.Getenv("NORN_TEST_ALL") != "" }
