package deploy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"norn/pkg/deploy/rollout"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
	k8srollout "norn/pkg/k8s/rollout"
)

// Entry is one revision of an app's history.
type Entry struct {
	Revision int64             `json:"revision"`
	Commit   string            `json:"commit,omitempty"`
	Image    string            `json:"image"`
	Digest   string            `json:"digest,omitempty"`
	Created  time.Time         `json:"created"` // when it was deployed
	By       string            `json:"by,omitempty"`
	Verified bool              `json:"verified"`         // norn saw it become available
	Failed   k8srollout.Reason `json:"failed,omitempty"` // why it did not become available
	Migrated bool              `json:"migrated"`         // a migration ran before it
	Current  bool              `json:"current"`
}

// Version returns the version's name for people.
func (e Entry) Version() string { return metadata.VersionName(e.Commit, e.Image) }

// History returns an app's revisions, newest first: the revisions of its Deployment, as in kubectl rollout history.
func History(ctx context.Context, cluster *k8s.Client, ns, app string) ([]Entry, error) {
	d, err := forged(ctx, cluster, rollout.Target{Namespace: ns, App: app})
	if err != nil {
		return nil, err
	}
	revisions, err := cluster.Revisions(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w", app, err)
	}
	return Entries(revisions), nil
}

// Entries returns a Deployment's revisions as history entries.
func Entries(revisions []k8s.Revision) []Entry {
	entries := make([]Entry, 0, len(revisions))
	for _, r := range revisions {
		_, digest, _ := strings.Cut(r.Image, "@")
		entries = append(entries, Entry{
			Revision: r.Number, Commit: r.Commit, Image: r.Image, Digest: digest, Created: r.Since, By: r.By,
			Verified: r.Verified, Failed: r.Failed, Migrated: r.Migrated, Current: r.Current,
		})
	}
	return entries
}
