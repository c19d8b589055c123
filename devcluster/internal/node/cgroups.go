package node

import (
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const cgroupMount = "/sys/fs/cgroup"

// makeCgroups creates the cgroup of a node's pods, with its parents, in each v1 hierarchy or in the unified hierarchy.
func makeCgroups(name string) error {
	for _, root := range hierarchies() {
		group := root
		for _, part := range strings.Split(name, "/") {
			parent := group
			group = filepath.Join(parent, part)
			if err := os.Mkdir(group, 0o755); err != nil && !os.IsExist(err) {
				return fmt.Errorf("create the pods' cgroup: %w", err)
			}
			if filepath.Base(root) != "cpuset" {
				continue
			}
			if err := inheritCPUs(parent, group); err != nil {
				return fmt.Errorf("set the pods' cpuset: %w", err)
			}
		}
	}
	return nil
}

// inheritCPUs copies a v1 cpuset from its parent. A new cpuset is empty and cannot hold processes.
func inheritCPUs(parent, group string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		data, err := os.ReadFile(filepath.Join(parent, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(group, file), data, 0) //nolint:gosec // both are fixed names
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hierarchies returns the mounted cgroup trees: one for each v1 controller, or the one of v2.
func hierarchies() []string {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}
	}
	var out []string
	dirs, _ := filepath.Glob(cgroupMount + "/*") // the pattern is valid
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, "tasks")); err == nil {
			out = append(out, d)
		}
	}
	return out
}

// ClearCgroups removes the cgroups of an ended cluster. Killed processes leave them after a moment, so it retries.
func ClearCgroups(name string) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		left := ""
		for _, root := range append(hierarchies(), filepath.Join(cgroupMount, "unified")) {
			for _, dir := range deepestFirst(filepath.Join(root, name)) {
				if err := syscall.Rmdir(dir); err != nil {
					left = dir
				}
			}
		}
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			log.Printf("cannot remove cgroup %s", left)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func deepestFirst(top string) []string {
	var dirs []string
	_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil // skip groups that are gone
	})
	slices.SortFunc(dirs, func(a, b string) int { return strings.Compare(b, a) })
	return dirs
}
