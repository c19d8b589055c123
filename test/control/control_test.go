// Package control tests norn with a real API server: objects, conflicts, locks and permissions. No test needs a
// container, so the control plane has no node.
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
