package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/connect"
)

// UsageError is a command line that norn cannot follow.
type UsageError struct {
	Err     error
	Command string // the command, with norn's name in front; "" if unknown
}

// Usagef returns a UsageError with the text of fmt.Errorf. The command is filled in when norn ends.
func Usagef(format string, args ...any) error { return &UsageError{Err: fmt.Errorf(format, args...)} }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Hint returns where the command line is explained.
func (e *UsageError) Hint() string {
	if e.Command == "" || e.Command == OwnName {
		return "norn help lists the commands"
	}
	return "see " + e.Command + " --help"
}

// goNumber matches what Go says of a text that is not a number.
var goNumber = regexp.MustCompile(`strconv\.Parse\w+: parsing .*`)

// badValue matches what pflag says of a value that does not fit; the last part is what the flag's own type says.
var badValue = regexp.MustCompile(`(?s)^invalid argument (".*") for "(?:-\w, )?(--[\w-]+)" flag: (.*)$`)

// FlagError returns pflag's err as a UsageError that names the flag, the value and the problem once each.
func FlagError(err error) error {
	text := goNumber.ReplaceAllString(err.Error(), "it is no number that could be meant")
	if m := badValue.FindStringSubmatch(text); m != nil {
		value, flag, problem := m[1], m[2], m[3]
		if strings.Contains(problem, value) {
			return Usagef("%s: %s", flag, problem)
		}
		return Usagef("%s %s: %s", flag, value, problem)
	}
	return &UsageError{Err: errors.New(text)}
}

// NeedsKubernetesError is a connect.UnavailableError in a command that cannot work without a cluster.
type NeedsKubernetesError struct {
	action string
	cause  *connect.UnavailableError
}

func (e *NeedsKubernetesError) Error() string { return e.action + " requires Kubernetes" }
func (e *NeedsKubernetesError) Unwrap() error { return e.cause }

// Reason returns why there is no cluster.
func (e *NeedsKubernetesError) Reason() string { return e.cause.Reason }

// Hint returns what to do about it.
func (e *NeedsKubernetesError) Hint() string { return e.cause.Hint() }

// DiffersError is the result of norn diff --exit-code if anything differs. It is not a failure: the exit code is the answer.
type DiffersError struct{ Objects int }

func (e *DiffersError) Error() string { return Plural(e.Objects, "object") + " differ" }

// ProblemsFoundError is the result of norn doctor if it found a problem. The problems are printed before.
type ProblemsFoundError struct{ Problems, Warnings int }

func (e *ProblemsFoundError) Error() string {
	there := "there are "
	if e.Problems == 1 {
		there = "there is "
	}
	return there + Plural(e.Problems, "problem") + AlsoWarnings(e.Warnings)
}

// AlsoWarnings returns ", and n warnings", or "" if n is 0.
func AlsoWarnings(n int) string {
	if n == 0 {
		return ""
	}
	return ", and " + Plural(n, "warning")
}

// InvalidError says that one or more infraspecs are not valid. Their findings are printed beside it.
type InvalidError struct {
	What   string // a path or an app, or "n of m apps"
	Counts Counts
	Strict bool // warnings count too
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s not valid: %s", e.verb(), e.Counts) }

func (e *InvalidError) verb() string {
	if strings.Contains(e.What, " of ") {
		return e.What + " are"
	}
	return e.What + " is"
}

// Hint explains an InvalidError that has warnings only.
func (e *InvalidError) Hint() string {
	if e.Strict && e.Counts[infraspec.Error] == 0 {
		return "--strict makes warnings count"
	}
	return ""
}

// Plural returns n and a noun, which takes an s unless n is 1.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
