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
	process  string
}

func (f *options) bind(flags *pflag.FlagSet) {
	flags.BoolVarP(&f.Follow, "follow", "f", false, "follow new lines and new Pods")
	flags.BoolVarP(&f.Previous, "previous", "p", false, "show the previous instance of each container")
	flags.Int64Var(&f.Tail, "tail", -1, "number of last lines of each container; -1 for all")
	flags.Var((*moment)(&f.Lines.Since), "since",
		"only lines since a time: 10m (ago), 2026-11-24T08:00:00Z or 08:00")
	flags.Var((*moment)(&f.Lines.Until), "until", "only lines up to a time, in the same formats")
	cli.BindProcess(flags, &f.process, "only the Pods of this process; main for the app's own")
	flags.StringSliceVarP(&f.Containers.Names, "container", "c", nil, "only these containers")
	flags.BoolVar(&f.Containers.All, "all-containers", false,
		"also containers that norn does not manage, such as injected sidecars")
	flags.StringSliceVar(&f.Containers.Pods, "pod", nil,
		"only these Pods: names, or the part of a name that the output shows")
	flags.StringVar(&f.Containers.Revision, "revision", "",
		"only Pods of this revision: new, old, or a number from norn history")
	flags.Var((*patterns)(&f.Lines.Match), "grep",
		"only lines that match this regular expression (RE2); repeat it for alternatives")
	flags.Var((*patterns)(&f.Lines.NoMatch), "grep-v", "omit lines that match this regular expression")
	flags.Var(&choice{&f.times, []string{"utc", "local", "relative"}}, "timestamps",
		"time at the beginning of each line: utc, local or relative")
	flags.Lookup("timestamps").NoOptDefVal = "utc"
	flags.BoolVar(&f.noPrefix, "no-prefix", false, "omit the names of the Pod and the container")
	flags.VarP(&choice{&f.output, []string{"raw", "json"}}, "output", "o",
		"raw for unchanged lines, json for one object per line: time, pod, container, revision, message, fields")
}

// check returns an error for flags that are wrong or contradict each other.
func (f *options) check() error {
	_, notNumber := strconv.ParseUint(f.Containers.Revision, 10, 63)
	switch {
	case f.Tail < -1:
		return cli.Usagef("invalid --tail %d: must be a number of lines, or -1 for all", f.Tail)
	case f.Follow && f.Previous:
		return cli.Usagef("--previous cannot be combined with --follow: it shows containers that have ended")
	case f.Containers.All && len(f.Containers.Names) > 0:
		return cli.Usagef("--all-containers cannot be combined with --container")
	case f.Lines.Until != 0 && f.Lines.Until <= f.Lines.Since:
		return cli.Usagef("--until must be after --since")
	case !slices.Contains([]string{"", "new", "old"}, f.Containers.Revision) && notNumber != nil:
		return cli.Usagef("invalid --revision %q: must be new, old or a revision number", f.Containers.Revision)
	case f.output == "json" && f.times == "relative":
		return cli.Usagef("--timestamps=relative cannot be combined with -o json, which prints absolute times")
	}
	return nil
}

// moment is a time in Unix nanoseconds. The flag accepts a time, or a duration before now.
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
	for _, layout := range []string{
		"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} { // the last time that the clock showed this time of day
		if t, err := time.Parse(layout, text); err == nil {
			t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
			if t.After(now) {
				t = t.AddDate(0, 0, -1)
			}
			return t, nil
		}
	}
	return time.Time{}, errors.New("must be a duration such as 10m, or a time such as 2026-11-24T08:00:00Z or 08:00")
}

// patterns is the value of a flag that takes regular expressions.
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

// choice is the value of a flag that accepts one of several words.
type choice struct {
	value *string
	words []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "format" }

// Set implements pflag.Value.
func (c *choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		last := len(c.words) - 1
		return fmt.Errorf("must be %s or %s", strings.Join(c.words[:last], ", "), c.words[last])
	}
	*c.value = text
	return nil
}
