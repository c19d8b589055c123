package root

import (
	"testing"

	"norn/test/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }
