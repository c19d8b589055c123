package deploy

import (
	"fmt"

	"norn/internal/cli"
	"norn/pkg/infraspec"
)

// place returns how requests reach the app: its public address, its address in the cluster, and from this machine. It
// returns "" for an app without a Service.
func place(spec *infraspec.Spec, namespace string) string {
	name := spec.Hosts.Internal
	if spec.Role != infraspec.Webserver || name == "" {
		return ""
	}
	text := fmt.Sprintf("http://%s in namespace %s; from here: kubectl port-forward -n %[2]s svc/%[1]s 8080:80",
		name, namespace)
	if spec.Hosts.External != "" {
		text = fmt.Sprintf("https://%s, if the tunnel routes it; in the cluster %s", spec.Hosts.External, text)
	}
	return text
}

// printPlace prints where a deployed app is reached, for people.
func printPlace(a *cli.App, o *options) {
	if o.place != "" && !o.dryRun && !a.JSON && !a.Quiet {
		_, _ = fmt.Fprintln(a.Streams.Err, o.place)
	}
}
