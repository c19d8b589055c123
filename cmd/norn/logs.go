package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"norn/internal/logs"
	"norn/internal/ui"
)

func newLogsCmd(a *app) *cobra.Command {
	var o logs.Options
	cmd := &cobra.Command{
		Use:     "logs [APP]",
		Short:   "Show the logs of all pods of the app",
		Example: "  norn logs shop\n  norn logs -f --since 10m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Tail < -1 {
				return &usageError{fmt.Errorf("--tail %d: a number of lines, or -1 for all", o.Tail)}
			}
			s, err := a.connect(cmd.Context(), cmd, "log streaming")
			if err != nil {
				return err
			}
			name, err := a.name(argument(args, 0), s.conf)
			if err != nil {
				return err
			}
			o.Namespace, o.App = s.conf.Namespace, name
			a.hideLive(cmd.Context(), s, name)
			return logs.Run(cmd.Context(), s.client, o, a.logSink())
		},
	}
	flags := cmd.Flags()
	flags.BoolVarP(&o.Follow, "follow", "f", false, "go on with new lines and new pods")
	flags.BoolVarP(&o.Previous, "previous", "p", false, "show the containers' previous instances")
	flags.Int64Var(&o.Tail, "tail", -1, "last lines of each container; -1 for all")
	flags.Var((*positive)(&o.Since), "since", "only lines younger than this, such as 10m")
	return cmd
}

// logSink prints log lines to stdout, and what else there is to say to stderr.
func (a *app) logSink() logs.Sink {
	sink := logs.Sink{Notice: func(text string) { ui.PrintWarning(a.streams.Err, text) }}
	if a.json {
		enc := json.NewEncoder(a.streams.Out)
		sink.Line = func(pod, container, text string) error {
			return enc.Encode(map[string]string{"pod": pod, "container": container, "message": text})
		}
		return sink
	}
	prefix := ui.LogPrefix(a.streams.Out)
	sink.Line = func(pod, _, text string) error {
		_, err := fmt.Fprintf(a.streams.Out, "%s%s\n", prefix(pod), text)
		return err
	}
	return sink
}
