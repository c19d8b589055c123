package secrets

import (
	"encoding/json"
	"fmt"
)

// Value is a decrypted value. It prints as "[secret]" in every format; only Reveal returns it. A closure holds the
// text, because fmt also prints unexported fields.
type Value struct{ reveal func() string }

const masked = "[secret]"

// Reveal returns the value itself.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// NewValue returns a Value that holds text.
func NewValue(text string) Value { return Value{func() string { return text }} }

// String implements fmt.Stringer without the value.
func (v Value) String() string { return masked }

// GoString implements fmt.GoStringer without the value.
func (v Value) GoString() string { return masked }

// Format implements fmt.Formatter without the value, for every verb.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(masked)) }

// MarshalJSON implements json.Marshaler without the value.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(masked) }

// MarshalText implements encoding.TextMarshaler without the value.
func (v Value) MarshalText() ([]byte, error) { return []byte(masked), nil }
