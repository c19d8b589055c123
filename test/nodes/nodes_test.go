// Package nodes tests norn on a cluster with three nodes, Services and a gateway: what only happens between nodes, and
// what takes too long for every run of the tests.
package nodes

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// TestScripts runs the scripts in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, bed.Scripts(t, bed.Nodes(t), "testdata"))
}
