package completion

import (
	"context"
	"os"
	"slices"

	"norn/internal/cli"
	"norn/internal/complete"
	"norn/internal/config"
	"norn/pkg/infraspec"
	"norn/pkg/k8s/connect"
)

// lookup is one search for values: what the line holds so far, and where to look.
type lookup struct {
	owner *cli.App
	conf  *config.Config
	args  []string // before the word that is completed
	begin string   // what there is of that word
	files bool     // it may be a file's path as well
}

// app is for a command that takes APP, and nothing after it.
func (l *lookup) app(from ...source) []source {
	if len(l.args) > 0 {
		return nil
	}
	return l.path(from...)
}

// path is for an argument that is an app's name or a path.
func (l *lookup) path(from ...source) []source {
	l.files = true
	if isPath(l.begin) {
		return nil
	}
	return from
}

// appAnd is for a command that takes [APP] and something of it: the first argument is the app, or already that of the app here.
func (l *lookup) appAnd(of source) []source {
	switch len(l.args) {
	case 0:
		return l.path(of, l.disk)
	case 1:
		return []source{of}
	}
	return nil
}

func (l *lookup) disk(context.Context) []complete.Value { return complete.Apps(l.conf.AppsDir) }

// others are the apps on disk that the line does not name yet.
func (l *lookup) others(ctx context.Context) []complete.Value {
	return slices.DeleteFunc(l.disk(ctx), func(v complete.Value) bool { return slices.Contains(l.args, v.Text) })
}

func (l *lookup) apps(ctx context.Context) []complete.Value {
	return l.inCluster(func(ctx context.Context, c complete.Cluster) []complete.Value {
		return complete.InCluster(ctx, c, l.conf.Namespace)
	})(ctx)
}

// onDisk finds values beside the infraspec that the line means.
func (l *lookup) onDisk(find func(path string) []complete.Value) []complete.Value {
	here, err := os.Getwd()
	if err != nil {
		return nil
	}
	path, err := infraspec.Locate(cli.Argument(l.args, 0), here, l.conf.AppsDir)
	if err != nil {
		return nil
	}
	return find(path)
}

func (l *lookup) refs(ctx context.Context) []complete.Value {
	return l.onDisk(func(path string) []complete.Value { return complete.Refs(ctx, path) })
}

func (l *lookup) secrets(there bool) source {
	return func(context.Context) []complete.Value {
		return l.onDisk(func(path string) []complete.Value { return complete.SecretNames(path, there) })
	}
}

func (l *lookup) snapshots(context.Context) []complete.Value { return l.onDisk(complete.Snapshots) }

// names finds values in the kubeconfig.
func (l *lookup) names(find func(connect.KubeconfigNames) []complete.Value) source {
	return func(context.Context) []complete.Value {
		names, err := connect.NamesIn(l.owner.Kube)
		if err != nil {
			return nil
		}
		return find(names)
	}
}

// inCluster finds values in the cluster, where there is one that answers without asking anything.
func (l *lookup) inCluster(find func(context.Context, complete.Cluster) []complete.Value) source {
	return func(ctx context.Context) []complete.Value {
		client, err := connect.DialQuick(l.owner.Kube, cli.Caller())
		if err != nil {
			return nil
		}
		return find(ctx, client)
	}
}

// ofApp finds what the app that the line means has in the cluster.
func (l *lookup) ofApp(find func(ctx context.Context, c complete.Cluster, ns, app string) []complete.Value) source {
	return l.inCluster(func(ctx context.Context, c complete.Cluster) []complete.Value {
		name, err := l.owner.Name(cli.Argument(l.args, 0), l.conf)
		if err != nil {
			return nil
		}
		return find(ctx, c, l.conf.Namespace, name)
	})
}

// revisions are numbers, or commits where what has been typed begins none.
func (l *lookup) revisions(ctx context.Context) []complete.Value {
	return l.ofApp(func(ctx context.Context, c complete.Cluster, ns, app string) []complete.Value {
		return complete.Revisions(ctx, c, ns, app, l.begin != "")
	})(ctx)
}

func (l *lookup) logRevisions(ctx context.Context) []complete.Value {
	words := []complete.Value{{Text: "new", About: "the one that runs"}, {Text: "old", About: "those before it"}}
	return append(words, l.ofApp(func(ctx context.Context, c complete.Cluster, ns, app string) []complete.Value {
		return complete.Revisions(ctx, c, ns, app, false)
	})(ctx)...)
}
