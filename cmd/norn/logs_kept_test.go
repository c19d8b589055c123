package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// keptLogs are the log files of the pods of testdata/apps/count, kept by hard links when the kubelet deletes them: what norn should have
// shown is what is in them. A container that is killed while its writing is blocked leaves a log without an end.
type keptLogs struct {
	t    testing.TB
	logs string // the pattern of their paths
	dir  string

	mu    sync.Mutex
	files map[uint64]string // the links, by inode
}

// keepLogs keeps those of the namespace until the test ends.
func (b *bench) keepLogs() *keptLogs {
	b.t.Helper()
	root := filepath.Dir(b.kubeconfig)
	k := &keptLogs{
		t: b.t, logs: filepath.Join(root, "var-log", "pods", b.namespace+"_count*", "*", "*.log*"),
		dir: filepath.Join(root, "kept-"+b.namespace), files: map[uint64]string{},
	}
	if err := os.Mkdir(k.dir, 0o755); err != nil {
		b.t.Fatal(err)
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
	b.t.Cleanup(func() { close(done); <-ended; _ = os.RemoveAll(k.dir) })
	return k
}

// link keeps the files that are new.
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

// ends are the last whole lines that are in the files, by instance.
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

// lastLine is the last whole line that an instance of testdata/apps/count has written into a log file, whose lines are
// "time stream F instance number …" (P where a line was cut).
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
