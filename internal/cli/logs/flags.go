package logs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"norn/internal/cli"
	"norn/internal/logs"
)

// options are the flags of norn logs.
type options struct {
	logs.Options
	times    string
	noPrefix bool
	output   string
}

func (f *options) bind(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.Follow, "follow", "f", false, "go on with new lines and new pods")
	flags.BoolVarP(&f.Previous, "previous", "p", false, "show the containers' previous instances")
	flags.Int64Var(&f.Tail, "tail", -1, "last lines of each container; -1 for all")
	flags.Var((*moment)(&f.Lines.Since), "since", "only lines from then on: 10m ago, or a time such as 2026-11-24T08:00:00Z or 08:00")
	flags.Var((*moment)(&f.Lines.Until), "until", "only lines up to then, likewise")
	flags.StringSliceVarP(&f.Containers.Names, "container", "c", nil, "only these containers")
	flags.StringSliceVar(&f.Containers.Pods, "pod", nil, "only these pods: names, or the parts of them that are shown")
	flags.StringVar(&f.Containers.Revision, "revision", "", "only pods of this revision: new, old, or its number in norn history")
	flags.Var((*patterns)(&f.Lines.Match), "grep", "only lines that match this regular expression (RE2); with several, one of them")
	flags.Var((*patterns)(&f.Lines.NoMatch), "grep-v", "no lines that match this one")
	flags.Var(&choice{&f.times, []string{"utc", "local", "relative"}}, "timestamps", "begin lines with their time: utc, local or relative")
	flags.Lookup("timestamps").NoOptDefVal = "utc"
	flags.BoolVar(&f.noPrefix, "no-prefix", false, "lines as the containers wrote them")
	flags.VarP(&choice{&f.output, []string{"raw", "json"}}, "output", "o", "raw for lines as they are, json for an object a line: time, pod, container, revision, message, fields")
}

// check finds what does not go together.
func (f *options) check() error {
	_, notNumber := strconv.ParseUint(f.Containers.Revision, 10, 63)
	switch {
	case f.Tail < -1:
		return cli.Usagef("--tail %d: a number of lines, or -1 for all", f.Tail)
	case f.Follow && f.Previous:
		return cli.Usagef("--previous shows what has ended: --follow does not go with it")
	case f.Lines.Until != 0 && f.Lines.Until <= f.Lines.Since:
		return cli.Usagef("--until is not after --since")
	case f.Containers.Revision != "" && f.Containers.Revision != "new" && f.Containers.Revision != "old" && notNumber != nil:
		return cli.Usagef("--revision %q: new, old, or a revision's number", f.Containers.Revision)
	case f.output == "json" && f.times == "relative":
		return cli.Usagef("--timestamps=relative does not go with -o json, whose time is a point in time")
	}
	return nil
}

// moment is a time in Unix nanoseconds, given as one or as how long ago it was.
type moment int64

func (m *moment) String() string { return "" }
func (m *moment) Type() string   { return "time" }

// Set implements pflag.Value.
func (m *moment) Set(text string) error {
	t, err := parseMoment(text, time.Now())
	if err == nil {
		*m = moment(t.UnixNano())
	}
	return err
}

// parseMoment reads a duration before now, an RFC 3339 time, or a local date or time of day.
func parseMoment(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} { // the last time that the clock showed it
		if t, err := time.Parse(layout, text); err == nil {
			t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
			if t.After(now) {
				t = t.AddDate(0, 0, -1)
			}
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a duration such as 10m nor a time such as 2026-11-24T08:00:00Z or 08:00", text)
}

// patterns are regular expressions.
type patterns []*regexp.Regexp

func (p *patterns) String() string { return "" }
func (p *patterns) Type() string   { return "regexp" }

// Set implements pflag.Value.
func (p *patterns) Set(text string) error {
	re, err := regexp.Compile(text)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	*p = append(*p, re)
	return nil
}

// choice is one of some words.
type choice struct {
	value *string
	words []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "format" }

// Set implements pflag.Value.
func (c *choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return fmt.Errorf("%q is none of %s", text, strings.Join(c.words, ", "))
	}
	*c.value = text
	return nil
}
