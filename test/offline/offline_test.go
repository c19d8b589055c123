// Package offline tests the built norn without a cluster: at a terminal, in shells, and with scripts.
package offline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"norn/test/bed"
)

// TestMain puts the built norn first on the PATH.
func TestMain(m *testing.M) {
	if norn := os.Getenv("NORN_TEST_NORN"); norn != "" {
		_ = os.Setenv("PATH", filepath.Dir(norn)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	bed.Main(m)
}

// TestScripts runs the scripts in testdata, each in its own home folder.
func TestScripts(t *testing.T) {
	testscript.Run(t, bed.OfflineScripts(t, "testdata"))
}
