package scaffold

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// classAnnotation named the class of an Ingress before there were IngressClasses.
const classAnnotation = "kubernetes.io/ingress.class"

// public is what the Ingresses of an app become in addition to its hosts.
type public struct {
	tls         []string // the Secrets with certificates
	plain       []string // the hosts without TLS
	annotations []pair
}

// served is an Ingress with rules that lead to the app.
type served struct {
	*networkingv1.Ingress
	hosts  []string
	shared bool // it has other rules too
}

// ingresses takes the public hosts and the route from the Ingresses that lead to the app's Service. Hosts of another
// class are left out, because its controller may be for another network.
func (d *deployed) ingresses() {
	var all []served
	for i := range d.Ingresses {
		if in := d.served(&d.Ingresses[i]); len(in.hosts) > 0 {
			all = append(all, in)
		}
	}
	if len(all) == 0 {
		return
	}
	main := all[max(0, slices.IndexFunc(all, func(in served) bool { return isClass(classOf(in.Ingress)) }))]
	class, p := classOf(main.Ingress), &public{}
	for _, in := range all {
		key := "ingress/" + in.Name
		if classOf(in.Ingress) != class {
			d.note(nil, key, "its hosts are left out, because its class is not that of Ingress %s, and a route has one",
				main.Name)
			continue
		}
		for _, host := range in.hosts {
			d.publicHost(host, key)
		}
		if isClass(class) {
			p.certificates(in)
			d.routeAnnotations(p, in.Ingress)
			d.handOver(in)
		}
	}
	if len(d.main.external) > 0 {
		d.route = d.routeOf(p, main.Ingress)
	}
}

// publicHost adds a public host.
func (d *deployed) publicHost(host, key string) {
	others := d.main.external
	if slices.Contains(others, host) {
		return
	}
	d.main.external = nil
	d.host(&d.main, textNode(host), key)
	d.main.external = slices.Concat(others, d.main.external)
}

// served finds the rules of an Ingress that lead to the app's Service.
func (d *deployed) served(in *networkingv1.Ingress) served {
	found, key := served{Ingress: in, shared: in.Spec.DefaultBackend != nil}, "ingress/"+in.Name
	for _, rule := range in.Spec.Rules {
		leads := false
		if rule.HTTP == nil {
			continue
		}
		for _, p := range rule.HTTP.Paths {
			if d.draft.service == "" || p.Backend.Service == nil || p.Backend.Service.Name != d.draft.service {
				found.shared = true
				continue
			}
			leads = true
			if p.Path != "" && p.Path != "/" {
				d.note(nil, key, "a rule for a path is carried over as one for the whole host")
			}
		}
		switch {
		case leads && rule.Host == "":
			d.note(nil, key, "a rule without a host is left out")
			found.shared = true
		case leads && !slices.Contains(found.hosts, rule.Host):
			found.hosts = append(found.hosts, rule.Host)
		}
	}
	return found
}

// classOf returns the class of an Ingress, or "".
func classOf(in *networkingv1.Ingress) string {
	if in.Spec.IngressClassName != nil {
		return *in.Spec.IngressClassName
	}
	return in.Annotations[classAnnotation]
}

// isClass reports whether norn's Ingress can have a class. Those of GKE are not IngressClasses.
func isClass(name string) bool {
	return len(validation.IsDNS1123Subdomain(name)) == 0 && name != "gce" && name != "gce-internal"
}

// certificates takes the Secrets with the certificates of hosts.
func (p *public) certificates(in served) {
	for _, host := range in.hosts {
		i := slices.IndexFunc(in.Spec.TLS, func(t networkingv1.IngressTLS) bool {
			return len(t.Hosts) == 0 || slices.ContainsFunc(t.Hosts, func(name string) bool { return covers(name, host) })
		})
		switch {
		case i < 0 || in.Spec.TLS[i].SecretName == "":
			p.plain = append(p.plain, host)
		case !slices.Contains(p.tls, in.Spec.TLS[i].SecretName):
			p.tls = append(p.tls, in.Spec.TLS[i].SecretName)
		}
	}
}

// covers reports whether a certificate for name, such as *.example.com, is also for a host.
func covers(name, host string) bool {
	_, parent, _ := strings.Cut(host, ".")
	return name == host || name == "*."+parent && parent != ""
}

// routeAnnotations takes the annotations of cert-manager, and names the others.
func (d *deployed) routeAnnotations(p *public, in *networkingv1.Ingress) {
	key := "ingress/" + in.Name
	var left []string
	for _, a := range sortedPairs(in.Annotations) {
		domain, _, _ := strings.Cut(a.name, "/")
		i := slices.IndexFunc(p.annotations, func(other pair) bool { return other.name == a.name })
		manager := domain == "cert-manager.io" || strings.HasSuffix(domain, ".cert-manager.io")
		switch {
		case a.name == classAnnotation, slices.Contains([]string{"kubectl.kubernetes.io", "meta.helm.sh", "norn"}, domain):
		case !manager:
			left = append(left, a.name)
		case secretVariable("", a.value): // the name may be that of a private key's setting, such as its size
			d.note(nil, key+".annotations."+a.name, "the value may be secret, and is left out")
		case i >= 0 && p.annotations[i].value != a.value:
			d.note(nil, key+".annotations."+a.name, "another Ingress has another value, which is the one carried over")
		case i < 0:
			p.annotations = append(p.annotations, a)
		}
	}
	if len(left) > 0 {
		d.note(nil, key, "annotations are left out, except for those of cert-manager; set what the controller needs "+
			"under route.annotations: %s", strings.Join(left, ", "))
	}
}

// handOver says how norn's Ingress takes the place of one.
func (d *deployed) handOver(in served) {
	key := "ingress/" + in.Name
	switch {
	case in.Name == d.app && in.shared:
		d.note(nil, key, "norn makes an Ingress %s too; norn forge --adopt takes this one over and removes its other rules, "+
			"so move those to another Ingress before", d.app)
	case in.Name == d.app:
		d.note(nil, key, "norn makes an Ingress %s too; norn forge --adopt takes this one over", d.app)
	default:
		end := "delete this one"
		if in.shared {
			end = "remove the hosts from this one, which has other rules too"
		}
		d.note(nil, key, "norn makes an Ingress %s, and exits with 5 while this one routes a host of it; "+
			"norn forge --adopt allows both; after the first deploy, %s; if the controller refuses two for a host, do so before",
			d.app, end)
	}
}

// routeOf returns the route, or nil if the class of the Ingress cannot be that of a route.
func (d *deployed) routeOf(p *public, in *networkingv1.Ingress) *yaml.Node {
	key, class := "ingress/"+in.Name, classOf(in)
	if !isClass(class) {
		why := "its class is not an IngressClass"
		if class == "" {
			why = "it has no class"
		}
		d.note(nil, key, "%s; set route.ingress or route.gateway, or norn routes hosts.external through the Cloudflare "+
			"tunnel; to keep using the Ingress, remove hosts.external", why)
		return nil
	}
	if in.Spec.IngressClassName == nil {
		d.note(nil, key, "an annotation sets its class, and norn needs an IngressClass %s", class)
	}
	tls := ""
	switch {
	case len(p.tls) > 1:
		d.note(nil, key, "the hosts have several Secrets with certificates, and a route has one; set route.tls to one for "+
			"all hosts")
	case len(p.tls) == 0 && len(in.Spec.TLS) > 0:
		d.note(nil, key, "its TLS has no Secret, and that of a route needs one; set route.tls")
	case len(p.tls) == 1:
		tls = p.tls[0]
		if len(p.plain) > 0 {
			d.note(nil, key, "norn's Ingress uses the certificate in Secret %s for all hosts, also for %s", tls,
				strings.Join(p.plain, ", "))
		}
	}
	return mapping("ingress", textNode(class), "tls", optionalText(tls), "annotations", mappingOf(p.annotations))
}
