package bed

import "testing"

// The schema rejects unknown fields and states, an outcome that does not match the exit code, and several values on
// one line.
func TestSchemaIsStrict(t *testing.T) {
	schema, err := JSONSchema(Root(t), "norn-deploy")
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
		if err := ValidLines(schema, line); (err == nil) != valid {
			t.Errorf("%s: %v", line, err)
		}
	}
}
