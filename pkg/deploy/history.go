package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"norn/pkg/deploy/rollout"
	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
)

// Entry is one release of an app's history. The releases of an app with one process are its revisions.
type Entry struct {
	Revision int64             `json:"revision"`
	Commit   string            `json:"commit,omitempty"`
	Subject  string            `json:"subject,omitempty"` // the first line of the commit's message
	Image    string            `json:"image"`
	Digest   string            `json:"digest,omitempty"`
	Created  time.Time         `json:"created"` // when it was deployed
	By       string            `json:"by,omitempty"`
	Verified bool              `json:"verified"`                    // norn saw it become available
	Failed   k8srollout.Reason `json:"failed,omitempty" redact:"-"` // why it did not become available
	Migrated bool              `json:"migrated"`                    // a migration ran before it
	Current  bool              `json:"current"`
	// Also are other commits that norn shipped as this revision, because their content is the same.
	Also []string `json:"also,omitempty"`
	// Revisions are those of the processes' Deployments, as in kubectl rollout history, if the app has several processes.
	Revisions map[string]int64 `json:"revisions,omitempty"`
}

// Version returns the version's name for people.
func (e Entry) Version() string { return metadata.VersionName(e.Commit, e.Image) }

// History returns an app's releases, newest first.
func History(ctx context.Context, cluster Reader, ns, app string) ([]Entry, error) {
	t := rollout.Target{Namespace: ns, App: app, Environment: objects.AnyEnvironment}
	all, err := readProcesses(ctx, cluster, t)
	if err != nil {
		return nil, err
	}
	releases, several, err := all.releases(ctx, cluster)
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w", app, err)
	}
	return entries(releases, several), nil
}

// Releases returns the releases of an app with several processes, newest first. histories are the revisions of their
// Deployments, and running are the names of the processes that run now.
func Releases(histories map[string][]k8s.Revision, running []string) []Entry {
	slices.Sort(running)
	return entries(grouped(histories, running), true)
}

// entries returns releases as history entries.
func entries(releases []release, several bool) []Entry {
	all := make([]Entry, 0, len(releases))
	for _, r := range releases {
		e := entry(r.Revision)
		if several {
			e.Revisions = map[string]int64{}
			for process, part := range r.parts {
				e.Revisions[process] = part.Number
			}
		}
		all = append(all, e)
	}
	return all
}

func entry(r k8s.Revision) Entry {
	_, digest, _ := strings.Cut(r.Image, "@")
	return Entry{
		Revision: r.Number, Commit: r.Commit, Subject: r.Subject, Image: r.Image, Digest: digest,
		Created: r.Since, By: r.By, Verified: r.Verified, Failed: r.Failed, Migrated: r.Migrated, Current: r.Current,
		Also: r.Also,
	}
}
