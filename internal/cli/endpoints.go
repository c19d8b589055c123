package cli

import (
	"fmt"
	"strings"

	"norn/internal/ui"
	"norn/pkg/infraspec"
)

// endpoints returns lines with the app's public address, its address in the cluster, and the command that forwards a
// local port to it. It returns "" for an app without a Service.
func endpoints(spec *infraspec.Spec, namespace string) string {
	name := spec.Hosts.Internal
	if spec.Role != infraspec.Webserver || name == "" {
		return ""
	}
	text := fmt.Sprintf("in the cluster: http://%s (namespace %s)\nfrom here: "+
		"kubectl port-forward -n %[2]s svc/%[1]s 8080:80",
		name, namespace)
	var public strings.Builder
	for _, host := range spec.Hosts.External {
		switch {
		case !spec.Route.IsSet():
			fmt.Fprintf(&public, "https://%s, if the tunnel routes it\n", host)
		case spec.Route.Ingress != "" && spec.Route.TLS == "":
			fmt.Fprintf(&public, "http://%s\n", host)
		default:
			fmt.Fprintf(&public, "https://%s\n", host)
		}
	}
	return public.String() + text
}

// printEndpoints prints how to reach a deployed app. It prints nothing with --quiet or --output json.
func (a *App) printEndpoints(text string) {
	if text != "" && !a.JSON && !a.Quiet {
		ui.PrintLines(a.Streams.Err, text)
	}
}
