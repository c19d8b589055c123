// Package ext stands in for a module that Traefik's go.mod replaces with a folder of its own, which no module proxy
// serves. Traefik embeds the two types in its configuration for others to extend; here nothing does.
package ext

// HTTP extends Traefik's HTTP configuration by nothing.
type HTTP struct{}

// Router extends Traefik's HTTP router by nothing.
type Router struct{}
