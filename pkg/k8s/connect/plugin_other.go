//go:build !linux && !darwin

package connect

// EndPlugins does nothing on this system: a credential plugin ends by itself.
func EndPlugins() {}
