package cli

import (
	"fmt"
	"regexp"
	"strings"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/connect"
)

// UsageError is a mistake in the command line.
type UsageError struct {
	Err     error
	Command string // the command, with norn's name in front; "" if unknown
	advice  string // hint to print instead of the one that shows the help, or ""
}

// Usagef returns a UsageError with the text of fmt.Errorf. norn adds the command later, when it ends.
func Usagef(format string, args ...any) error { return &UsageError{Err: fmt.Errorf(format, args...)} }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Hint returns the advice, or the command that shows the help.
func (e *UsageError) Hint() string {
	if e.advice != "" {
		return e.advice
	}
	if e.Command == "" || e.Command == OwnName {
		return "run norn help to list the commands"
	}
	return "see " + e.Command + " --help"
}

// badValue matches pflag's error for an invalid value. The last part is the error of the flag's own type.
var badValue = regexp.MustCompile(`(?s)^invalid argument (".*") for "(?:-\w, )?(--[\w-]+)" flag: (.*)$`)

// FlagError returns pflag's err as a UsageError that names the flag, the value and the problem once each.
func FlagError(err error) error {
	if err.Error() == "unknown flag: --version" {
		return Usagef("%w; norn version shows the version", err)
	}
	m := badValue.FindStringSubmatch(err.Error())
	if m == nil {
		return &UsageError{Err: err}
	}
	value, flag, problem := m[1], m[2], m[3]
	switch {
	case strings.HasPrefix(problem, "strconv.ParseBool:"):
		problem = "must be true or false"
	case strings.HasPrefix(problem, "strconv."):
		problem = "not a valid number"
	case strings.HasPrefix(problem, "time:"):
		problem = "must be a duration such as 30s or 5m"
	}
	return Usagef("invalid %s %s: %s", flag, value, problem)
}

// NeedsKubernetesError is a connect.UnavailableError in a command that requires a cluster.
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

// DeclinedError reports that the user declined a confirmation.
type DeclinedError struct{}

func (*DeclinedError) Error() string { return "canceled; nothing was changed" }

// DiffersError is the result of norn diff --exit-code if there are differences. It is a result, not a failure.
type DiffersError struct {
	Objects int
	Apps    string // with --all, which apps differ instead
}

func (e *DiffersError) Error() string {
	if e.Apps != "" {
		return e.Apps
	}
	if e.Objects == 1 {
		return "1 object differs"
	}
	return Plural(e.Objects, "object") + " differ"
}

// ProblemsFoundError is the result of norn doctor if it found a problem. norn has already printed the problems.
type ProblemsFoundError struct{ Problems, Warnings int }

func (e *ProblemsFoundError) Error() string {
	if e.Warnings == 0 {
		return "found " + Plural(e.Problems, "problem")
	}
	return "found " + Plural(e.Problems, "problem") + " and " + Plural(e.Warnings, "warning")
}

// InvalidError reports that one or more infraspecs are not valid. norn prints their findings separately.
type InvalidError struct {
	What   string // a path or an app, or "n of m apps"
	Many   bool   // What stands for several apps
	Counts Counts
	Strict bool // warnings count too
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s not valid: %s", e.verb(), e.Counts) }

func (e *InvalidError) verb() string {
	if e.Many {
		return e.What + " are"
	}
	return e.What + " is"
}

// Hint explains an InvalidError that has only warnings.
func (e *InvalidError) Hint() string {
	if e.Strict && e.Counts[infraspec.Error] == 0 {
		return "fix the warnings, or omit --strict"
	}
	return ""
}

// Plural returns n and noun, with an s unless n is 1.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
