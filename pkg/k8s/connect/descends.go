//go:build linux || darwin

package connect

// descends reports whether a process is a descendant of another. The parents may be from different moments.
func descends(parents map[int]int, pid, of int) bool {
	for range len(parents) {
		pid = parents[pid]
		if pid == of || pid == 0 {
			break
		}
	}
	return pid == of
}
