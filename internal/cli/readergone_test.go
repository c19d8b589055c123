package cli

import (
	"os"
	"testing"
)

// Each system has its own error for a write to a pipe that nobody reads any more.
func TestReaderGone(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write([]byte("x")); !ReaderGone(err) {
		t.Errorf("%v does not count as a reader that is gone", err)
	}
	_ = writer.Close()
}
