package cli

import (
	"fmt"

	"norn/internal/reach"
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
	public := ""
	for _, host := range spec.Hosts.External {
		at := reach.URL(spec, host)
		if public += at.String(); !spec.Route.IsSet() {
			public += ", if the tunnel routes it"
		}
		public += "\n"
	}
	return public + text
}
