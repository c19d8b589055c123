package forge

import (
	"context"
	"fmt"
	"io"
	"strings"

	"norn/internal/command"
	"norn/pkg/forge/drift"
	"norn/pkg/pipeline"
)

// RouteError reports that the cloudflared command did not create a DNS record.
type RouteError struct {
	Host, Tunnel, Said string
	Err                error
}

// Error names the host and the tunnel, and quotes the last line of the command's output.
func (e *RouteError) Error() string {
	return fmt.Sprintf("route the DNS name %s to tunnel %s: %v: %s", e.Host, e.Tunnel, e.Err, e.Said)
}

// Hint returns how to create the record.
func (e *RouteError) Hint() string {
	return fmt.Sprintf("log in to the host's zone with cloudflared tunnel login, or create the record with "+
		"cloudflared tunnel route dns %s %s; then run the command again", e.Tunnel, e.Host)
}

func (e *RouteError) Unwrap() error { return e.Err }

// dns creates the host's DNS record with the cloudflared command, if it is installed.
func (r *run) dns(ctx context.Context, out io.Writer) (none drift.Change, result pipeline.Result, err error) {
	host := r.spec.Hosts.External
	if !command.Installed("cloudflared") {
		return none, pipeline.Result{
			State:  pipeline.Skipped,
			Detail: "the cloudflared command is not installed; route the host's DNS to the tunnel yourself",
		}, nil
	}
	var said strings.Builder
	err = command.Run(ctx, "", io.MultiWriter(out, &said), "cloudflared", "tunnel", "route", "dns", r.options.Tunnel, host)
	switch {
	case err == nil:
		return none, pipeline.Result{State: pipeline.Done, Detail: "routed to tunnel " + r.options.Tunnel}, nil
	case strings.Contains(said.String(), "already exists"):
		return none, pipeline.Result{State: pipeline.Unchanged}, nil
	default:
		return none, pipeline.Result{}, &RouteError{host, r.options.Tunnel, command.LastLine(said.String()), err}
	}
}
