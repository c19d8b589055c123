// Package sessions runs norn with scripts, as its users do, on a cluster with a node that runs containers.
package sessions

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"norn/test/bed"
)

func TestMain(m *testing.M) {
	testscript.Main(bed.M{M: m}, map[string]func(){"play": playPage})
}

// TestSessions runs the scripts in testdata.
func TestSessions(t *testing.T) {
	testscript.Run(t, bed.Scripts(t, bed.Shared(t), "testdata"))
}
