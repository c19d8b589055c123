package redact

import "regexp"

// Common reports whether a value is likely to occur in texts that have nothing to do with it: an ordinary word, or a
// few digits. Redactors hide it there too, so a reader can guess the value from the gaps.
func Common(value string) bool { return len(value) <= maxWord && commonValue.MatchString(value) }

// maxWord is the maximum length of an ordinary word, or of several joined ones, such as CrashLoop. A random value of
// letters is longer or has capitals at random places.
const maxWord = 20

var commonValue = regexp.MustCompile(`^([0-9]{1,7}|[A-Z]+|([A-Z]?[a-z]{2,})+)$`)
