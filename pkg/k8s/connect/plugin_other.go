//go:build !linux && !darwin

package connect

// stopPlugin does nothing on this system: a credential plugin ends by itself.
func stopPlugin() {}
