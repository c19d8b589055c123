package main

import (
	"os"
	"testing"
)

// The generated files are what the types say today.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Chdir("..") // where go generate runs it
	files, err := render(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what the types say; run go generate ./pkg/infraspec", name)
		}
	}
}
