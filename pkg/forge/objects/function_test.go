package objects

import (
	"testing"

	"norn/pkg/infraspec"
)

// TestFunctionRequest requires the variables that functions of the original norn read, and NORN_BODY.
func TestFunctionRequest(t *testing.T) {
	spec, _, err := infraspec.Parse("infraspec.yaml", []byte("app: resize\nrole: function\n"))
	if err != nil {
		t.Fatal(err)
	}
	pod, err := Function(spec, Settings{Image: "resize:1"}, `{"price": "$(A)"}`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, v := range pod.Containers[0].Env {
		got[v.Name] = v.Value
	}
	for name, want := range map[string]string{
		"NORN_BODY":           `{"price": "$$(A)"}`,
		"NORN_REQUEST_BODY":   `{"price": "$$(A)"}`,
		"NORN_REQUEST_METHOD": "POST",
		"NORN_REQUEST_PATH":   "/api/apps/resize/invoke",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}
