package source

import (
	"norn/pkg/k8s/metadata"
)

// Tree is a version of the source in a folder.
type Tree struct {
	Dir    string // the app's folder in the source
	top    string // root of the user's checkout, or "" for a clone
	origin string // address of a clone's repository without credentials, or ""
	own    string // the app's folder in the user's checkout, or "" for a clone
	Copied string // the folder that norn created for this version
	Commit string // full commit hash
	Number string // build number: how many commits led to Commit
	Time   string // of the last commit up to Commit that changed what an image is built from, in seconds since 1970
	// Subject is the first line of the commit's message, as its author wrote it.
	Subject string
	Dirty   bool // with the uncommitted changes
	// Shallow means that the repository lacks older commits, so Number is too low.
	Shallow  bool
	Warnings []string // about submodules that the Tree omits, and an ambiguous ref
}

// Tag returns the image tag for this version.
func (t Tree) Tag() string { return metadata.ShortCommit(t.Version()) }

// Version returns the full commit hash for the history, with DirtySuffix if there are uncommitted changes.
func (t Tree) Version() string {
	if t.Dirty {
		return t.Commit + metadata.DirtySuffix
	}
	return t.Commit
}

// Describe returns the version for a message.
func (t Tree) Describe() string { return "commit " + t.Tag() }

// TagOrEmpty returns the tag, or "" if there is no source.
func (t Tree) TagOrEmpty() string {
	if t.Commit == "" {
		return ""
	}
	return t.Tag()
}
