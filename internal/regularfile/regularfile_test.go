//go:build unix

package regularfile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(at("file"), []byte("text"), 0o600),
		os.WriteFile(at("long"), []byte("text!"), 0o600),
		os.WriteFile(at("sparse"), nil, 0o600),
		os.Truncate(at("sparse"), 1<<40),
		os.Symlink("file", at("link")),
		os.Symlink("/dev/zero", at("device")),
		os.Symlink("missing", at("dangling")),
		os.Symlink("loop", at("loop")),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Mkdir(at("folder"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	for _, name := range []string{"file", "link"} {
		if got, err := Read(at(name), 4); string(got) != "text" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]string{
		"device": "not a regular file", "pipe": "not a regular file", "folder": "not a regular file",
		"socket": "not a regular file", "long": "larger than 4 bytes", "sparse": "larger than 4 bytes",
		"dangling": "no such file", "loop": "too many levels", "missing": "no such file",
	} {
		got, err := Read(at(name), 4)
		place, ok := errors.AsType[*fs.PathError](err)
		if got != nil || !ok || place.Path != at(name) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	for limit, want := range map[int64]string{4: "4 bytes", 1 << 10: "1 KiB", 1500: "1500 bytes", 10 << 20: "10 MiB"} {
		if got := size(limit); got != want {
			t.Errorf("size(%d) = %q, want %q", limit, got, want)
		}
	}
}

// ReadInside follows links within the folder, and none out of it.
func TestReadInside(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, "in", name) }
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "in"), 0o700),
		os.WriteFile(filepath.Join(dir, "outside"), []byte("outside"), 0o600),
		os.WriteFile(at("file"), []byte("text"), 0o600),
		os.Symlink("file", at("link")),
		os.Symlink("../outside", at("out")),
		os.Symlink(filepath.Join(dir, "outside"), at("absolute")),
		os.Symlink("..", at("folder")),
		syscall.Mkfifo(at("pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"file": "text", "link": "text", "out": "", "absolute": "", "folder": "", "folder/outside": "", "../outside": "",
		"pipe": "", "missing": "",
	} {
		data, err := ReadInside(filepath.Join(dir, "in"), name, 4)
		if string(data) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if _, err := ReadInside(filepath.Join(dir, "in"), "file", 3); err == nil {
		t.Error("a file over the limit was read")
	}
}
