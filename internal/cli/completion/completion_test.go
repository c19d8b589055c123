package completion

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The script for fish quotes the words of the command line before it evaluates them.
func TestFishQuotesWords(t *testing.T) {
	var script strings.Builder
	if err := writeFish(&cobra.Command{Use: "norn"}, &script, true); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(script.String(), fishQuotedWords); n != 1 {
		t.Errorf("%d quoted lines, want 1", n)
	}
	if n := strings.Count(script.String(), "commandline -opc"); n != 1 {
		t.Errorf("the script reads the command line %d times, want once", n)
	}
}
