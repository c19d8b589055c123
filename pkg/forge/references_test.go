package forge

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

// What does not exist is named with the secret that refers to it. A Secret that the user is not allowed to read counts
// neither as missing nor as checked. No text has a value.
func TestReferenced(t *testing.T) {
	read := Referenced{
		Secrets: map[string]*corev1.Secret{"db": {Data: map[string][]byte{"url": []byte("canary"), "other": []byte("x")}}},
		denied:  []string{"hidden"}, Denied: []error{&k8s.DeniedError{User: "me", Verb: "get", Resource: "secrets"}},
	}
	refs := []infraspec.SecretReference{
		{Name: "A", Secret: "db", Key: "url"}, {Name: "B", Secret: "db", Key: "uri"}, {Name: "C", Secret: "gone", Key: "x"},
		{Name: "D", Secret: "hidden", Key: "x"}, {Name: "E", Secret: "db", Key: "password"},
	}
	err := read.Check("shops", refs)
	const want = "the new Pods could not start in namespace shops: B: Secret db has no key uri; did you mean \"url\"?; " +
		"C: there is no Secret gone; E: Secret db has no key password"
	if err == nil || err.Error() != want || !errors.As(err, new(*MissingReferenceError)) {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := read.Check("shops", []infraspec.SecretReference{refs[0], refs[3]}); err != nil {
		t.Errorf("what exists, or cannot be read, is missing: %v", err)
	}
	if lines := read.NotChecked(); len(lines) != 1 || !strings.HasPrefix(lines[0], "Secret hidden is not checked") {
		t.Errorf("not checked: %q", lines)
	}
	hidden := map[string]string{}
	read.Hide(refs, func(name, value string) { hidden[name] = value })
	if fmt.Sprint(hidden) != "map[A:canary]" {
		t.Errorf("hidden: %v", hidden)
	}
	read.Hide([]infraspec.SecretReference{{Name: "all", Secret: "db"}}, func(_, value string) { hidden[value] = value })
	if hidden["canary"] == "" || hidden["x"] == "" {
		t.Errorf("a reference to all keys hides only %v", hidden)
	}
}
