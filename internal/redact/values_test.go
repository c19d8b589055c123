package redact

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// sample is a type for JSON with a field of every kind.
type sample struct {
	Event  string    `json:"event" redact:"-"`
	Text   string    `json:"text"`
	Bytes  int64     `json:"bytes"`
	Time   time.Time `json:"time"`
	Parts  []string  `json:"parts"`
	Pair   [2]string `json:"pair"`
	Any    any       `json:"any"`
	Next   *sample   `json:"next,omitempty"`
	hidden string
	embedded
	Raw json.RawMessage `json:"raw"`
}

type embedded struct {
	Inner map[string]any `json:"inner"`
}

// Values that are words or numbers of norn's JSON leave it valid, with its words and its numbers. They are hidden in
// all strings.
func TestValues(t *testing.T) {
	r := New()
	for name, value := range map[string]string{
		"LEVEL": "output", "PIN": "123456", "ZERO": "000000", "KEY": "inner", "QUOTED": `a"b\c<d`,
	} {
		r.Hide(name, value)
	}
	original := sample{
		Event: "output", Text: "output 123456", Bytes: 1234567, Time: time.Unix(0, 1000).UTC(), hidden: "output",
		Parts: []string{"000000"}, Pair: [2]string{"a", "output"}, Next: &sample{Event: "output", Text: "123456"},
		Any:      map[string]any{"output": []any{"x output", 123456, nil}},
		embedded: embedded{map[string]any{"inner": `{"x":"a\"b\\c\u003cd"}`}},
		Raw:      json.RawMessage(`{"b": "output", "a": 123456}`),
	}
	before, _ := json.Marshal(original)
	copied, err := r.Values(original)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(copied)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"event":"output","text":"[redacted:LEVEL] [redacted:PIN]","bytes":1234567,` +
		`"time":"1970-01-01T00:00:00.000001Z","parts":["[redacted:ZERO]"],"pair":["a","[redacted:LEVEL]"],` +
		`"any":{"output":["x [redacted:LEVEL]",123456,null]},` +
		`"next":{"event":"output","text":"[redacted:PIN]","bytes":0,"time":"0001-01-01T00:00:00Z","parts":null,` +
		`"pair":["",""],"any":null,"inner":null,"raw":null},` +
		`"inner":{"inner":"{\"x\":\"[redacted:QUOTED]\"}"},"raw":{"a":123456,"b":"[redacted:LEVEL]"}}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if after, _ := json.Marshal(original); string(after) != string(before) {
		t.Errorf("the original has changed to %s", after)
	}
}

// number is a type that reads no other text than a number.
type number struct{ digits string }

func (n number) MarshalText() ([]byte, error) { return []byte(n.digits), nil }

func (n *number) UnmarshalText(text []byte) error {
	n.digits = string(text)
	return json.Unmarshal(text, new(int))
}

// A value that cannot be hidden is not shown.
func TestValuesFail(t *testing.T) {
	r := New()
	r.Hide("PIN", "123456")
	if _, err := r.Values([]number{{"1"}}); err != nil {
		t.Error(err)
	}
	if _, err := r.Values([]number{{"123456"}}); err == nil || strings.Contains(err.Error(), "123456") {
		t.Errorf("got %v", err)
	}
}
