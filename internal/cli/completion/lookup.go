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

// lookup is one search for values.
type lookup struct {
	app   *cli.App
	conf  *config.Config
	args  []string // the arguments before the word to complete
	begin string   // the typed beginning of the word
	files bool     // the word may also be a file's path
}

// onlyApp returns the sources for a command that takes APP and nothing else.
func (l *lookup) onlyApp(from ...source) []source {
	if len(l.args) > 0 {
		return nil
	}
	return l.path(from...)
}

// path returns the sources for an argument that is an app's name or a path.
func (l *lookup) path(from ...source) []source {
	l.files = true
	if isPath(l.begin) {
		return nil
	}
	return from
}

// appAnd returns the sources for a command that takes [APP] and an argument that depends on the app. The first
// argument is either an app, or belongs to the app in the current folder.
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

// functions returns the function apps on disk, because norn invoke reads the infraspec.
func (l *lookup) functions(context.Context) []complete.Value {
	return complete.Functions(l.conf.AppsDir)
}

// others returns the apps on disk that the command line does not name yet.
func (l *lookup) others(ctx context.Context) []complete.Value {
	return slices.DeleteFunc(l.disk(ctx), func(v complete.Value) bool { return slices.Contains(l.args, v.Text) })
}

func (l *lookup) apps(ctx context.Context) []complete.Value {
	return l.inCluster(func(ctx context.Context, c complete.Cluster) []complete.Value {
		return complete.InCluster(ctx, c, l.conf.Namespace)
	})(ctx)
}

// onDisk returns the values that find returns for the path of the app's infraspec.
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

func (l *lookup) secrets(onlyInFile bool) source {
	return func(context.Context) []complete.Value {
		return l.onDisk(func(path string) []complete.Value {
			return complete.SecretNames(path, l.conf.Env, onlyInFile)
		})
	}
}

func (l *lookup) environments(context.Context) []complete.Value {
	return l.onDisk(complete.Environments)
}

// previews returns the previews in the cluster of the app in the current folder, or of the one that the line names.
func (l *lookup) previews(ctx context.Context) []complete.Value {
	return l.onDisk(func(path string) []complete.Value {
		return l.inCluster(func(ctx context.Context, c complete.Cluster) []complete.Value {
			return complete.Previews(ctx, c, path, l.conf.Namespace)
		})(ctx)
	})
}

func (l *lookup) processes(context.Context) []complete.Value { return l.onDisk(complete.ProcessesOf) }

func (l *lookup) snapshots(context.Context) []complete.Value { return l.onDisk(complete.Snapshots) }

// names returns a source of values in the kubeconfig.
func (l *lookup) names(find func(connect.KubeconfigNames) []complete.Value) source {
	return func(context.Context) []complete.Value {
		names, err := connect.NamesIn(l.app.Kube)
		if err != nil {
			return nil
		}
		return find(names)
	}
}

// inCluster returns a source of values in the cluster, if norn can connect without prompting.
func (l *lookup) inCluster(find func(context.Context, complete.Cluster) []complete.Value) source {
	return func(ctx context.Context) []complete.Value {
		client, err := connect.DialQuick(l.app.Kube, l.app.Caller())
		if err != nil {
			return nil
		}
		return find(ctx, client)
	}
}

// ofApp returns a source of values that belong to the app in the cluster.
func (l *lookup) ofApp(find func(ctx context.Context, c complete.Cluster, ns, app string) []complete.Value) source {
	return l.inCluster(func(ctx context.Context, c complete.Cluster) []complete.Value {
		name, err := l.app.Name(cli.Argument(l.args, 0), l.conf)
		if err != nil {
			return nil
		}
		return find(ctx, c, l.conf.Namespace, name)
	})
}

// revisions returns revision numbers and, once the user has typed something, also commits.
func (l *lookup) revisions(ctx context.Context) []complete.Value {
	return l.ofApp(func(ctx context.Context, c complete.Cluster, ns, app string) []complete.Value {
		return complete.Revisions(ctx, c, ns, app, l.begin != "")
	})(ctx)
}

func (l *lookup) logRevisions(ctx context.Context) []complete.Value {
	words := []complete.Value{{Text: "new", About: "the current revision"}, {Text: "old", About: "earlier revisions"}}
	return append(words, l.ofApp(func(ctx context.Context, c complete.Cluster, ns, app string) []complete.Value {
		return complete.Revisions(ctx, c, ns, app, false)
	})(ctx)...)
}
