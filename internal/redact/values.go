package redact

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// Values returns a copy of v with redacted strings, to encode as JSON. Because redaction comes before encoding, the
// result is valid JSON whatever the secret values are. Keys, numbers and times stay as they are. So do struct fields
// with the tag redact:"-": use it for norn's own words that scripts compare, such as the name of an event.
func (r *Redactor) Values(v any) (any, error) {
	if r.matcher() == nil {
		return v, nil
	}
	err := r.values(reflect.ValueOf(&v).Elem())
	return v, err
}

// Values is like [Redactor.Values].
func (d *Writer) Values(v any) (any, error) { return d.filter.r.Values(v) }

// values redacts the strings in v, which is not shared. If v is a pointer, it first copies the value that v points to.
func (r *Redactor) values(v reflect.Value) error {
	switch {
	case v.Type() == reflect.TypeFor[time.Time](), v.Type() == reflect.TypeFor[json.Number]():
		return nil
	case encodesItself(v.Type()):
		return r.encoded(v)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.Text(v.String()))
	case reflect.Pointer, reflect.Interface:
		return r.referenced(v)
	case reflect.Struct:
		return r.fields(v)
	case reflect.Slice:
		if !v.IsNil() {
			own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(own, v)
			v.Set(own)
		}
		return r.elements(v)
	case reflect.Array:
		return r.elements(v)
	case reflect.Map:
		return r.entries(v)
	default: // a number or a boolean
	}
	return nil
}

func (r *Redactor) referenced(v reflect.Value) error {
	if v.IsNil() {
		return nil
	}
	own := reflect.New(v.Elem().Type())
	own.Elem().Set(v.Elem())
	if err := r.values(own.Elem()); err != nil {
		return err
	}
	if v.Kind() == reflect.Interface {
		own = own.Elem()
	}
	v.Set(own)
	return nil
}

func (r *Redactor) fields(v reflect.Value) error {
	for i := range v.NumField() {
		switch field := v.Type().Field(i); {
		case field.Tag.Get("redact") == "-":
		case !field.IsExported() && !field.Anonymous: // not encoded
		default:
			if err := r.values(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Redactor) elements(v reflect.Value) error {
	for i := range v.Len() {
		if err := r.values(v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Redactor) entries(v reflect.Value) error {
	if v.IsNil() {
		return nil
	}
	own := reflect.MakeMapWithSize(v.Type(), v.Len())
	for entries := v.MapRange(); entries.Next(); {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(entries.Value())
		if err := r.values(value); err != nil {
			return err
		}
		own.SetMapIndex(entries.Key(), value)
	}
	v.Set(own)
	return nil
}

// encodesItself reports whether only the encoder knows the strings of a type.
func encodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return false
	}
	for _, itself := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(itself) || reflect.PointerTo(t).Implements(itself) {
			return true
		}
	}
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// encoded redacts a value that encodes itself. It fails if the value cannot hold the redacted text, such as a quantity.
func (r *Redactor) encoded(v reflect.Value) error {
	data, err := json.Marshal(v.Addr().Interface())
	if err != nil {
		return err
	}
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		return err
	}
	redacted, err := r.Values(decoded)
	if err != nil || reflect.DeepEqual(decoded, redacted) {
		return err
	}
	if data, err = json.Marshal(redacted); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v.Addr().Interface()); err != nil {
		return fmt.Errorf("hide a secret value in a %s: %w", v.Type(), err)
	}
	return nil
}
