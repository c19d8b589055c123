package doctor

import (
	"cmp"
	"context"
	"time"

	"norn/internal/reach"
	"norn/pkg/infraspec"
)

// hopWait is how long one hop of a request may take.
const hopWait = 5 * time.Second

// reachWait returns how long all hops together may take: the request inside the cluster, the route, and three for each
// public host.
func (e *examination) reachWait() time.Duration {
	return time.Duration(3+3*len(e.spec.Hosts.External)) * cmp.Or(e.Wait, hopWait)
}

// reach follows a request to the app from its Pods to its public hosts.
func (e *examination) reach(ctx context.Context) Verdict {
	if e.spec.Role != infraspec.Webserver || e.spec.Hosts.Internal == "" {
		return skipped("only a webserver with hosts.internal can be reached")
	}
	if pods, err := e.client.GetPods(ctx, e.Config.Namespace, e.spec.App); err == nil && len(pods) == 0 {
		return skipped("%s has no Pods: it is not deployed, or scaled to 0", e.spec.App)
	}
	way := reach.Way{Cluster: e.client, Namespace: e.Config.Namespace, Spec: e.spec}
	if len(e.spec.Hosts.External) > 0 {
		way.Route = e.routeHop
	}
	hops := way.Follow(ctx, cmp.Or(e.Wait, hopWait))
	more := make([]string, 0, len(hops))
	for _, h := range hops {
		more = append(more, h.String())
	}
	last := hops[len(hops)-1]
	if last.State == reach.Failed {
		v := problem(last.Hint, "requests do not get past this hop: %s", last)
		v.More = more[:len(more)-1]
		return v
	}
	v := ok("%s", last.Detail)
	if last.State == reach.Unchecked {
		v = skipped("%s", last.Detail)
	}
	v.More = more[:len(more)-1]
	return v
}

// routeHop turns the verdict on the route into a hop. norn cannot judge a route that it does not make.
func (e *examination) routeHop(ctx context.Context) reach.Hop {
	v := e.routeCheck().run(ctx)
	h := reach.Hop{Detail: v.Detail, Hint: v.Hint}
	switch v.State {
	case Problem:
		h.State = reach.Failed
	case Warning, Skipped:
		h.State = reach.Unchecked
	case OK:
	}
	return h
}
