package command

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// hideMemory makes the memory of this process unreadable for other processes without privileges, and disables its core
// dumps (man 2 PR_SET_DUMPABLE). Programs that it starts are not affected.
func hideMemory() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // where it fails, norn works without
}

// hideVariables overwrites the values of the variables in /proc/PID/environ. That file shows the memory in which the
// process got its first environment. Go has copied it, so os.Unsetenv would not change it, and os.Getenv still works.
// Without /proc, no process can read the file.
func hideVariables(names []string) {
	environ, err := os.ReadFile("/proc/self/environ")
	if err != nil {
		return
	}
	start, ok := environStart()
	if !ok {
		return
	}
	memory, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer func() { _ = memory.Close() }()
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		name, value, _ := bytes.Cut(entry, []byte("="))
		if slices.Contains(names, string(name)) {
			_, _ = memory.WriteAt(make([]byte, len(value)), start+int64(len(name)+1))
		}
		start += int64(len(entry) + 1)
	}
}

// environStart returns the address of the first environment (man 5 proc_pid_stat: env_start).
func environStart() (address int64, ok bool) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, false
	}
	const state, envStart = 3, 50 // numbers of fields
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= envStart-state {
		return 0, false
	}
	address, err = strconv.ParseInt(fields[envStart-state], 10, 64)
	return address, err == nil && address > 0
}
