package redact

import "testing"

func TestCommon(t *testing.T) {
	for value, want := range map[string]bool{
		"production": true, "output": true, "CrashLoop": true, "ADMIN": true, "two-words": false,
		"123456": true, "0000000": true, "12345678": false, "correct-horse-battery-staple": false,
		"hunter2": false, "aGkqXRtYwBzLp": false, "s3cret": false, "": false, "postgres://x": false,
	} {
		if got := Common(value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
