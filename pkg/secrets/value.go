package secrets

import (
	"encoding/json"
	"fmt"
)

// Value is one decrypted value. Every way of printing it says "[secret]"; Reveal is the one way out. It is held by a function, which
// even fmt's look into unexported fields does not see through.
type Value struct{ reveal func() string }

const masked = "[secret]"

// Reveal returns the value itself.
func (v Value) Reveal() string {
	if v.reveal == nil {
		return ""
	}
	return v.reveal()
}

// NewValue hides text.
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
