package forge

import (
	"context"
	"io"
	"strings"

	"norn/internal/command"
	"norn/pkg/forge/drift"
	"norn/pkg/pipeline"
)

// dns returns a Func that creates a host's DNS record with the cloudflared command, if it is installed. A failure is
// only a warning: the record may exist, and norn cannot read it.
func (r *run) dns(host string) pipeline.Func[drift.Change] {
	return func(ctx context.Context, out io.Writer) (drift.Change, pipeline.Result, error) {
		result, err := r.createRecord(ctx, out, host)
		return drift.Change{}, result, err
	}
}

func (r *run) createRecord(ctx context.Context, out io.Writer, host string) (pipeline.Result, error) {
	if !command.Installed("cloudflared") {
		return pipeline.Result{
			State:  pipeline.Skipped,
			Detail: "the cloudflared command is not installed; route the host's DNS to the tunnel yourself",
		}, nil
	}
	var said strings.Builder
	both := io.MultiWriter(out, &said)
	err := command.Run(ctx, "", both, "cloudflared", "tunnel", "route", "dns", r.options.Tunnel, host)
	switch {
	case err == nil:
		return pipeline.Result{State: pipeline.Done, Detail: "routed to tunnel " + r.options.Tunnel}, nil
	case strings.Contains(said.String(), "already exists"):
		return pipeline.Result{State: pipeline.Unchanged}, nil
	default:
		if ctx.Err() != nil {
			return pipeline.Result{}, err
		}
		pipeline.Warn(out, "the DNS record was not created: %v: %s; unless it exists, create it with "+
			"cloudflared tunnel route dns %s %s (log in to its zone first, with cloudflared tunnel login)",
			err, command.LastLine(said.String()), r.options.Tunnel, host)
		return pipeline.Result{State: pipeline.Skipped, Detail: "cloudflared did not create the record"}, nil
	}
}
