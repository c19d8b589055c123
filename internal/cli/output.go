package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"norn/internal/config"
	"norn/internal/ui"
	"norn/pkg/k8s"
	"norn/pkg/k8s/connect"
)

// Encode prints a command's results as JSON objects, one a line. docs/json.md describes them to users.
func (a *App) Encode(objects ...any) error {
	return ui.PrintJSON(a.Streams.Out, objects...)
}

// WithOutputError returns the error of a command that ended with err. If err is nil and norn could not write all of the
// command's output, that is the error. A reader that closes the pipe early is not an error.
func (a *App) WithOutputError(err error) error {
	failed := ui.OutputError(a.Streams)
	if failed == nil || ReaderGone(failed) {
		return err
	}
	if err != nil && !errors.Is(err, failed) && !is[*DiffersError](err) {
		return err
	}
	if path, ok := errors.AsType[*fs.PathError](failed); ok { // its path, such as /dev/stdout, does not help the user
		failed = path.Err
	}
	return fmt.Errorf("write output: %w", failed)
}

// Elements returns the elements of list, for Encode.
func Elements[T any](list []T) []any {
	out := make([]any, 0, len(list))
	for _, e := range list {
		out = append(out, e)
	}
	return out
}

// Warnf prints a warning.
func (a *App) Warnf(format string, args ...any) {
	ui.PrintWarning(a.Streams.Err, a.Rename(fmt.Sprintf(format, args...)))
}

// Reach connects to the cluster. If no cluster is available, it returns the reason instead of an error.
func (a *App) Reach(
	ctx context.Context, conf *config.Config,
) (*k8s.Client, *connect.UnavailableError, error) {
	client, err := connect.Dial(ctx, a.Kube, a.Caller())
	var unavailable *connect.UnavailableError
	if errors.As(err, &unavailable) {
		return nil, unavailable, nil
	}
	if err != nil {
		return nil, nil, err
	}
	a.client, a.namespace = client, conf.Namespace
	if err := a.environment.checkCluster(ctx, client); err != nil {
		return nil, nil, err
	}
	a.sayContextNamespace(conf, client)
	return client, nil, nil
}

// Connection is the last JSON object of commands that also work without a cluster. It names the cluster, or says why
// there is none.
type Connection struct {
	Kubernetes struct {
		Connected bool   `json:"connected"`
		Namespace string `json:"namespace"`
		Context   string `json:"context,omitempty"`
		Reason    string `json:"reason,omitempty"` // why there is no connection
	} `json:"kubernetes"`
}

// NewConnection returns the Connection for the results of Reach.
func NewConnection(client *k8s.Client, unavailable *connect.UnavailableError, conf *config.Config) Connection {
	var c Connection
	c.Kubernetes.Connected, c.Kubernetes.Namespace = client != nil, conf.Namespace
	if client != nil {
		c.Kubernetes.Context = client.Context
	} else {
		c.Kubernetes.Reason = unavailable.Reason
	}
	return c
}

// PrintConnection prints the cluster's name, or why there is no connection.
func (a *App) PrintConnection(client *k8s.Client, unavailable *connect.UnavailableError, conf *config.Config) {
	if client == nil {
		ui.PrintFact(a.Streams.Out, "Kubernetes:", "not connected ("+unavailable.Reason+")")
		return
	}
	where := fmt.Sprintf("namespace %s of %s", conf.Namespace, client.Context)
	if a.environment != nil {
		where = fmt.Sprintf("environment %s: %s", a.environment.name, where)
	}
	ui.PrintFact(a.Streams.Out, "Kubernetes:", where)
}

// Dash returns text, or "-" for an empty cell of a table.
func Dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Age returns the time since since, or "-" if it is unknown.
func Age(since *time.Time) string {
	if since == nil || since.IsZero() {
		return "-"
	}
	return duration.HumanDuration(time.Since(*since))
}
