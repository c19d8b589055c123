package infraspec

import (
	"strings"
	"testing"
)

func TestHostPaths(t *testing.T) {
	const control, outside = "gives the app control of its node", "add the folder to NORN_HOST_PATHS"
	for _, c := range []struct{ path, allowed, want string }{
		{"/", "/", control}, {"//", "", control}, {"/.", "", control}, {"/./", "", control},
		{"/etc", "/etc", control}, {"/etc/", "", control}, {"//etc//.", "", control}, {"/etc/kubernetes/pki", "", control},
		{"/proc", "", control}, {"/proc/1/root", "/proc", control}, {"/sys", "", control}, {"/dev/", "", control},
		{"/root/.ssh", "", control}, {"/boot", "", control}, {"/run", "", control}, {"/var/run/", "", control},
		{"/var", "", control}, {"/var/lib", "", control}, {"/var/lib/kubelet/pods", "", control},
		{"/var/run/docker.sock", "", control}, {"/run/containerd/containerd.sock", "/run", control},
		{"/var/../etc", "", "must not contain '..'"}, {"/..", "", "must not contain '..'"},
		{"/srv/data", "", outside}, {"/etcetera", "", outside}, {"/runtime", "", outside}, {"/rooted", "", outside},
		{"/etc/localtime", "", outside}, {"/run/postgresql", "", outside}, {"/sys/class", "", outside},
		{"/srv/data", "/srv/dat", outside}, {"/srv", "/srv/data", outside},
		{"/srv/data", "/srv", ""}, {"/srv/data/", "/mnt /srv/data", ""}, {"/srv/./data", "/srv/data/", ""},
		{"/var/run/postgresql", "/run/postgresql", ""}, {"/run/postgresql", "/var/run/postgresql", ""},
		{"/srv/data", "/", ""},
	} {
		text := "app: shop\nrole: worker\nvolumes: [{name: a, mountPath: /a, hostPath: '" + c.path + "'}]\n"
		spec, found := inspect("f", []byte(text))
		found = append(found, spec.HostPaths(strings.Fields(c.allowed))...)
		severity := Error
		if c.want == outside {
			severity = Warning
		}
		switch {
		case c.want == "" && len(found) == 0:
		case len(found) != 1 || c.want == "" || !strings.Contains(found[0].Message, c.want) || found[0].Severity != severity:
			t.Errorf("hostPath %s with %q allowed: %v; want %q", c.path, c.allowed, found, c.want)
		}
	}
}
