package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// keptLogs keeps the log files of testdata/apps/count by hard links when the kubelet deletes them. norn must show the
// lines in these files. If a container is killed while a write is blocked, its log ends without an end mark.
type keptLogs struct {
	t    testing.TB
	logs string // pattern of the paths
	dir  string

	mu    sync.Mutex
	files map[uint64]string // links, by inode
}

// keepLogs keeps the logs of the namespace until the test ends.
func (b *world) keepLogs() *keptLogs {
	b.T.Helper()
	k := &keptLogs{
		t: b.T, logs: filepath.Join(b.PodLogs(), b.Namespace+"_count*", "*", "*.log*"),
		dir: filepath.Join(b.Dir, "kept-"+b.Namespace), files: map[uint64]string{},
	}
	if err := os.Mkdir(k.dir, 0o755); err != nil {
		b.T.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				k.link()
			}
		}
	}()
	b.T.Cleanup(func() { close(done); <-ended; _ = os.RemoveAll(k.dir) })
	return k
}

// link links the new files.
func (k *keptLogs) link() {
	found, err := filepath.Glob(k.logs)
	if err != nil {
		k.t.Error(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, path := range found {
		st, err := os.Stat(path)
		if err != nil {
			continue // just deleted
		}
		inode := st.Sys().(*syscall.Stat_t).Ino
		if k.files[inode] != "" {
			continue
		}
		to := filepath.Join(k.dir, fmt.Sprint(inode))
		if err := os.Link(path, to); err == nil {
			k.files[inode] = to
		} else if !errors.Is(err, fs.ErrNotExist) {
			k.t.Error(err)
		}
	}
}

// ends returns the numbers of the last whole lines in the files, by instance.
func (k *keptLogs) ends() map[string]int {
	k.link()
	k.mu.Lock()
	defer k.mu.Unlock()
	ends := map[string]int{}
	for _, file := range k.files {
		if instance, n := lastLine(k.t, file); n > ends[instance] {
			ends[instance] = n
		}
	}
	return ends
}

// records returns an instance's lines with these numbers, as the container runtime wrote them.
func (k *keptLogs) records(instance string, numbers ...int) []string {
	k.link()
	k.mu.Lock()
	defer k.mu.Unlock()
	var found []string
	for inode, path := range k.files {
		text, err := os.ReadFile(path)
		if err != nil {
			k.t.Error(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 5 || f[3] != instance {
				continue
			}
			if n, err := strconv.Atoi(f[4]); err == nil && slices.Contains(numbers, n) {
				created := birthTime(k.t, path).UTC().Format(time.RFC3339Nano)
				found = append(found, fmt.Sprintf("inode %d, created %s: %.100q", inode, created, line))
			}
		}
	}
	return found
}

// wroteLate reports whether these lines of an instance are the last lines of a file, and were all written after the
// creation of the instance's next file.
func (k *keptLogs) wroteLate(instance string, from, to int) bool {
	k.link()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, path := range k.files {
		if of, last := lastLine(k.t, path); of != instance || last != to {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			k.t.Error(err)
		}
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) >= 5 && f[3] == instance && f[4] == strconv.Itoa(from) {
				at, err := time.Parse(time.RFC3339Nano, f[0])
				return err == nil && k.createdBetween(instance, birthTime(k.t, path), at)
			}
		}
	}
	return false
}

// createdBetween reports whether a file of the instance was created between two times; the caller holds mu.
func (k *keptLogs) createdBetween(instance string, after, before time.Time) bool {
	for _, path := range k.files {
		of, _ := lastLine(k.t, path)
		if created := birthTime(k.t, path); of == instance && created.After(after) && created.Before(before) {
			return true
		}
	}
	return false
}

// birthTime returns the creation time of a file, with the precision of the kernel's tick.
func birthTime(t testing.TB, path string) time.Time {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BTIME, &st); err != nil {
		t.Error(err)
	}
	return time.Unix(st.Btime.Sec, int64(st.Btime.Nsec))
}

// lastLine returns the number of the last whole line in a log file of testdata/apps/count. A line has the form "time
// stream F instance number …". Partial lines have P instead of F.
func lastLine(t testing.TB, file string) (instance string, n int) {
	t.Helper()
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) { // deleted with its pod
		return "", 0
	}
	if err != nil {
		t.Error(err)
		return "", 0
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Error(err)
	}
	tail := make([]byte, min(size, 64<<10))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		t.Error(err)
	}
	end := bytes.LastIndexByte(tail, '\n')
	if end < 0 {
		return "", 0
	}
	lines := bytes.Split(tail[:end], []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		if f := bytes.Fields(lines[i]); len(f) >= 5 && string(f[2]) == "F" {
			if n, err := strconv.Atoi(string(f[4])); err == nil {
				return string(f[3]), n
			}
		}
	}
	return "", 0
}
