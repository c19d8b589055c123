package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"norn/internal/ui"
)

// jsonSchema is docs/json.schema.json, of which definition describes the lines of one command.
func jsonSchema(definition string) (*jsonschema.Schema, error) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "json.schema.json"))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("json.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("json.schema.json#/$defs/" + definition)
}

// jsonlines COMMAND FILE checks that each line of a file is a JSON object as docs/json.schema.json describes that command's, such as
// norn-deploy; there must be one.
func jsonlines(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: jsonlines norn-COMMAND FILE")
	}
	schema, err := jsonSchema(args[0])
	ts.Check(err)
	if err := validLines(schema, ts.ReadFile(args[1])); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

func validLines(schema *jsonschema.Schema, text string) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(lines.Bytes()))
		if err == nil {
			err = schema.Validate(value)
		}
		if err != nil {
			return errors.New(lines.Text() + "\n" + err.Error())
		}
	}
	if n == 0 {
		return errors.New("there are no lines")
	}
	return lines.Err()
}

// Every command has its definition, or refuses -o json.
func TestEveryCommandHasASchema(t *testing.T) {
	a := &app{streams: ui.Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}}
	root := newRootCmd(a)
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
		if a.checkOutput(cmd, nil) != nil {
			return
		}
		if _, err := jsonSchema(strings.ReplaceAll(cmd.CommandPath(), " ", "-")); err != nil {
			t.Errorf("%s has no definition in docs/json.schema.json: %v", cmd.CommandPath(), err)
		}
	}
	walk(root)
}

// What the schema does not know is refused: a field, a state, an end whose outcome is not its exit code's, more than one value on a line.
func TestSchemaIsStrict(t *testing.T) {
	schema, err := jsonSchema("norn-deploy")
	if err != nil {
		t.Fatal(err)
	}
	const at = `{"time":"2026-01-02T03:04:05Z",`
	for line, valid := range map[string]bool{
		at + `"event":"end","exitCode":0,"outcome":"done"}`:                                                true,
		at + `"event":"end","exitCode":4,"outcome":"rollout-failed","error":"x","reasonCode":"CrashLoop"}`: true,
		at + `"event":"end","exitCode":4,"outcome":"done"}`:                                                false,
		at + `"event":"end","exitCode":1,"outcome":"failed"}`:                                              false,
		at + `"event":"end","exitCode":1,"outcome":"failed","error":"x","reasonCode":"Nosuch"}`:            false,
		at + `"event":"ended","step":"build","state":"done","more":1}`:                                     false,
		at + `"event":"ended","step":"choose","state":"done"}`:                                             false,
		at + `"event":"ended","step":"build","state":"failed"}`:                                            false,
		at + `"event":"ended","step":"Service shop","state":"created"}`:                                    true,
		`[]`: false, `{} {}`: false, `text`: false, ``: false,
	} {
		if err := validLines(schema, line); (err == nil) != valid {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// -o json is found in arguments that cannot be read as a whole, and not behind --.
func TestAsksJSON(t *testing.T) {
	for line, want := range map[string]bool{
		"deploy -o json --nosuch": true, "deploy --nosuch -ojson": true, "-qo json depoly": true, "--output=json x": true, "--output json x": true, "x -o=json": true,
		"deploy": false, "run shop -- jq -o json": false, "-o": false, "deploy -o raw json": false, "json": false,
	} {
		if got := asksJSON(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
