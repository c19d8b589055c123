// Package control tests what norn makes of the API server's semantics: objects, conflicts, locks, permissions. It
// needs no container, so each test runs on a control plane without a node.
package control

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// TestScripts runs the scripts in testdata.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, bed.Scripts(t, bed.ControlPlane(t), "testdata"))
}
