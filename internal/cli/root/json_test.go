package root

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"norn/internal/cli"
	"norn/internal/ui"
	"norn/test/bed"
)

// Every command has a definition in the schema, or rejects -o json.
func TestEveryCommandHasASchema(t *testing.T) {
	a := &cli.App{Streams: ui.Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}
	root := New(a)
	root.InitDefaultCompletionCmd()
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Hidden || !cmd.Runnable() {
			return
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		a.JSON = true
		if checkOutput(a, cmd, nil) != nil {
			return
		}
		if _, err := bed.JSONSchema(bed.Root(t), strings.ReplaceAll(cmd.CommandPath(), " ", "-")); err != nil {
			t.Errorf("%s has no definition in docs/json.schema.json: %v", cmd.CommandPath(), err)
		}
	}
	walk(root)
}

// asksJSON finds -o json in arguments that cannot be parsed, but not after --.
func TestAsksJSON(t *testing.T) {
	for line, want := range map[string]bool{
		"deploy -o json --nosuch": true, "deploy --nosuch -ojson": true, "-qo json depoly": true,
		"--output=json x": true, "--output json x": true, "x -o=json": true,
		"deploy": false, "run shop -- jq -o json": false, "-o": false, "deploy -o raw json": false, "json": false,
	} {
		if got := asksJSON(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
