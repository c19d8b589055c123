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

// makeCgroups makes the group that a node's pods live under, and the groups above it, in every v1 hierarchy or in the
// unified one.
func makeCgroups(name string) error {
	for _, root := range hierarchies() {
		group := root
		for _, part := range strings.Split(name, "/") {
			above := group
			group = filepath.Join(above, part)
			if err := os.Mkdir(group, 0o755); err != nil && !os.IsExist(err) {
				return fmt.Errorf("make the pods' cgroup: %w", err)
			}
			if filepath.Base(root) != "cpuset" {
				continue
			}
			if err := inheritCPUs(above, group); err != nil {
				return fmt.Errorf("fill the pods' cpuset: %w", err)
			}
		}
	}
	return nil
}

// inheritCPUs gives a v1 cpuset what the one above it has: a new one starts empty, and then holds no process.
func inheritCPUs(above, group string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		data, err := os.ReadFile(filepath.Join(above, file))
		if err == nil {
			err = os.WriteFile(filepath.Join(group, file), data, 0) //nolint:gosec // both are fixed names
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hierarchies are the mounted cgroup trees: each v1 controller's, or the one of v2.
func hierarchies() []string {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}
	}
	var out []string
	dirs, _ := filepath.Glob(cgroupMount + "/*") // the pattern is well formed
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join(d, "tasks")); err == nil {
			out = append(out, d)
		}
	}
	return out
}

// ClearCgroups removes the groups of an ended cluster. Its processes leave them a moment after they are killed.
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
			log.Printf("cgroup %s could not be removed", left)
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
		return nil // what has gone meanwhile needs no removing
	})
	slices.SortFunc(dirs, func(a, b string) int { return strings.Compare(b, a) })
	return dirs
}
