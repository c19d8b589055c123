//go:build !unix

package regularfile

// nonBlocking has no meaning here, because these systems have no named pipes among their files.
const nonBlocking = 0
