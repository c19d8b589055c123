package rollout

import (
	"context"
	"strings"

	"norn/pkg/k8s/metadata"
)

// conclude marks the restored revisions, and describes what runs now.
func (g *group) conclude(ctx context.Context, runs []*run, backs []*back) (restored, kept string) {
	var not reasons
	var running []*run
	for i, b := range backs {
		switch {
		case b.err != nil:
			not.add(runs[i].ProcessName(), b.err.Error())
		case !b.gone:
			running = append(running, runs[i])
		}
	}
	in := metadata.Release{}
	if len(not.texts) == 0 && len(runs) == len(g.runs) {
		in = g.currentRelease(ctx, running)
	}
	done := g.restored(runs, backs, in)
	for i, b := range backs {
		if b.err == nil && !b.gone && (!b.stays || in.Number > 0) {
			runs[i].replaces = !b.stays
			runs[i].verify(ctx, b.verdict, b.current, in)
			runs[i].trim(ctx)
		}
	}
	g.markReleased(ctx, g.Others, in)
	switch {
	case len(not.texts) == 0 && len(running)+len(g.Others) > 0:
		return done, ""
	case len(not.texts) == 0: // a first release
		return "", errNoVerified.Error() + "; " + done
	}
	kept = not.describe(len(g.runs) > 1)
	if done != "" {
		kept += "; restored: " + done
	}
	return "", kept
}

// restored describes what a restore has changed, such as "as revision 4" or "main, worker as revision 4; mailer scaled
// to 0, because it is new".
func (g *group) restored(runs []*run, backs []*back, in metadata.Release) string {
	var again, gone, texts []string
	number := ""
	for i, b := range backs {
		switch {
		case b.err != nil || b.stays:
		case b.gone:
			gone = append(gone, runs[i].ProcessName())
		default:
			again, number = append(again, runs[i].ProcessName()), g.number(in, b.current)
		}
	}
	if len(again) > 0 {
		var words []string
		if len(g.runs) > 1 {
			words = append(words, strings.Join(again, ", "))
		}
		if number != "" {
			words = append(words, "as revision "+number)
		}
		texts = append(texts, strings.Join(words, " "))
	}
	if len(gone) > 0 {
		texts = append(texts, scaledAway(gone))
	}
	return strings.Join(texts, "; ")
}

// scaledAway says that processes were scaled to 0, and why.
func scaledAway(processes []string) string {
	if len(processes) == 1 {
		return processes[0] + " scaled to 0, because it is new"
	}
	return strings.Join(processes, ", ") + " scaled to 0, because they are new"
}

// reasons are the reasons why processes do not run their previous version, each with the names of its processes.
type reasons struct {
	texts     []string
	processes map[string][]string // by text
}

func (r *reasons) add(process, text string) {
	if r.processes == nil {
		r.processes = map[string][]string{}
	}
	if r.processes[text] == nil {
		r.texts = append(r.texts, text)
	}
	r.processes[text] = append(r.processes[text], process)
}

// describe returns the reasons. It names the processes if the release has several.
func (r *reasons) describe(several bool) string {
	var all []string
	for _, text := range r.texts {
		if several {
			text = strings.Join(r.processes[text], ", ") + ": " + text
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}
