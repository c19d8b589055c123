package ui

import (
	"encoding/json"
	"fmt"
	"io"

	"norn/internal/redact"
)

// PrintJSON writes values as JSON, one a line. It redacts their strings before it encodes them, except for fields with
// the tag redact:"-". The stream does not redact the result again: a secret value that equals one of norn's words or
// a number would make it invalid.
func PrintJSON(w io.Writer, values ...any) error {
	for _, v := range values {
		if err := printJSON(w, v); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	to := w
	if redacted, ok := w.(*redact.Writer); ok {
		var err error
		if v, err = redacted.Values(v); err != nil {
			return err
		}
		Flush(w)
		to = redacted.Unwrap()
	}
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = to.Write(append(escapeHashes(escapeUnsafe(nil, data)), '\n'))
	return err
}
