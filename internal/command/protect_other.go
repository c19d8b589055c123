//go:build !linux

package command

// hideMemory does nothing. On these systems, Go writes core dumps only with GOTRACEBACK=crash.
func hideMemory() {}

// hideVariables does nothing: the environment of a running process cannot be changed.
func hideVariables([]string) {}
