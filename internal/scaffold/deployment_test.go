package scaffold

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// runningIn returns what the objects in a file are to ReadDeployment.
func runningIn(t *testing.T, path string) Running {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := Running{ConfigMaps: map[string]*corev1.ConfigMap{}}
	for reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return in
		}
		var kind struct{ Kind string }
		if err := errors.Join(err, yaml.Unmarshal(doc, &kind)); err != nil {
			t.Fatal(err)
		}
		switch kind.Kind {
		case "Deployment":
			in.Deployment = decoded[appsv1.Deployment](t, doc)
		case "Service":
			in.Services = append(in.Services, *decoded[corev1.Service](t, doc))
		case "Ingress":
			in.Ingresses = append(in.Ingresses, *decoded[networkingv1.Ingress](t, doc))
		case "PersistentVolumeClaim":
			in.Claims = append(in.Claims, *decoded[corev1.PersistentVolumeClaim](t, doc))
		case "ConfigMap":
			found := decoded[corev1.ConfigMap](t, doc)
			in.ConfigMaps[found.Name] = found
		default:
			t.Fatalf("%s: %q", path, kind.Kind)
		}
	}
}

func decoded[T any](t *testing.T, doc []byte) *T {
	t.Helper()
	var into T
	if err := yaml.UnmarshalStrict(doc, &into); err != nil {
		t.Fatal(err)
	}
	return &into
}

// A Deployment becomes an infraspec that norn accepts, without the secrets in it. To write the golden files:
//
//	go test ./internal/scaffold -run TestFromDeployment -update
func TestFromDeployment(t *testing.T) {
	files, err := filepath.Glob("testdata/from-deployment/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		t.Run(path, func(t *testing.T) {
			text, notes, err := FromDeployment(runningIn(t, path))
			if err != nil {
				t.Fatal(err)
			}
			converted(t, path+".golden", text, notes)
		})
	}
}

// The class of the Ingresses and their certificates decide about the route.
func TestFromDeploymentRoute(t *testing.T) {
	type ingress struct {
		name, class, annotation string
		hosts                   []string
		tls                     []networkingv1.IngressTLS
	}
	one, two := []string{"a.example.com"}, []string{"a.example.com", "b.example.com"}
	tls := func(secret string, hosts ...string) []networkingv1.IngressTLS {
		return []networkingv1.IngressTLS{{Hosts: hosts, SecretName: secret}}
	}
	for name, c := range map[string]struct {
		ingresses []ingress
		want      []string // in the infraspec
		never     string
		notes     []string
	}{
		"class": {
			[]ingress{{name: "portal", class: "nginx", hosts: one}},
			[]string{"external: a.example.com\n\nroute:\n  ingress: nginx\n"}, "tls:",
			[]string{"ingress/portal: norn makes an Ingress portal too; norn forge --adopt takes this one over"},
		},
		"two Ingresses": {
			[]ingress{{name: "a", class: "nginx", hosts: one}, {name: "b", class: "nginx", hosts: two, tls: tls("all")}},
			[]string{"external:\n    - a.example.com\n    - b.example.com\n", "tls: all\n"}, "",
			[]string{"ingress/a: norn makes an Ingress portal, and exits with 5", "for all hosts, also for a.example.com"},
		},
		"another class": {
			[]ingress{{name: "a", hosts: two}, {name: "b", class: "nginx", hosts: one}},
			[]string{"external: a.example.com\n", "ingress: nginx"}, "b.example.com",
			[]string{"ingress/a: its hosts are left out, because its class is not that of Ingress b"},
		},
		"no class": {
			[]ingress{{name: "portal", hosts: one, tls: tls("all")}},
			[]string{"external: a.example.com\n"}, "route:",
			[]string{"ingress/portal: it has no class; set route.ingress or route.gateway, or norn routes hosts.external"},
		},
		"a class of GKE": {
			[]ingress{{name: "portal", annotation: "gce", hosts: one}},
			[]string{"external: a.example.com\n"}, "route:",
			[]string{"ingress/portal: its class is not an IngressClass; set route.ingress or route.gateway"},
		},
		"annotation": {
			[]ingress{{name: "portal", annotation: "nginx", hosts: one, tls: tls("one", "*.example.com")}},
			[]string{"route:\n  ingress: nginx\n  tls: one\n"}, "",
			[]string{"an annotation sets its class, and norn needs an IngressClass nginx"},
		},
		"several certificates": {
			[]ingress{{name: "portal", class: "nginx", hosts: two, tls: append(tls("a", one...), tls("b", two[1])...)}},
			[]string{"ingress: nginx\n"}, "tls:", []string{"the hosts have several Secrets with certificates"},
		},
		"a certificate of the controller": {
			[]ingress{{name: "portal", class: "nginx", hosts: one, tls: tls("", one...)}},
			[]string{"ingress: nginx\n"}, "tls:", []string{"its TLS has no Secret"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := runningIn(t, "testdata/from-deployment/portal.yaml")
			path := in.Ingresses[0].Spec.Rules[0].IngressRuleValue
			in.Ingresses = nil
			for _, i := range c.ingresses {
				made := networkingv1.Ingress{Spec: networkingv1.IngressSpec{TLS: i.tls}}
				made.Name = i.name
				if i.class != "" {
					made.Spec.IngressClassName = &i.class
				}
				if i.annotation != "" {
					made.Annotations = map[string]string{classAnnotation: i.annotation}
				}
				for _, host := range i.hosts {
					made.Spec.Rules = append(made.Spec.Rules, networkingv1.IngressRule{Host: host, IngressRuleValue: path})
				}
				in.Ingresses = append(in.Ingresses, made)
			}
			text, notes, err := FromDeployment(in)
			if err != nil {
				t.Fatal(err)
			}
			accepted(t, text)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
			if c.never != "" && strings.Contains(text, c.never) {
				t.Errorf("%q in\n%s", c.never, text)
			}
			for _, want := range c.notes {
				if !strings.Contains(strings.Join(notes, "\n"), want) {
					t.Errorf("no %q in\n%s", want, strings.Join(notes, "\n"))
				}
			}
		})
	}
}

// Values in a Secret that norn itself makes go to secrets.enc.yaml.
func TestFromDeploymentOwnSecret(t *testing.T) {
	in := runningIn(t, "testdata/from-deployment/portal.yaml")
	in.container().Env[0].ValueFrom.SecretKeyRef.Name = "portal-secrets"
	text, notes, err := FromDeployment(in)
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, text)
	if want := "secrets:\n  DATABASE_URL:\n  LICENSE: {from: licenses/portal.key}\n"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
	if want := "which norn manages; set it with norn secrets set DATABASE_URL"; !strings.Contains(
		strings.Join(notes, "\n"), want) {
		t.Errorf("no %q in\n%s", want, strings.Join(notes, "\n"))
	}
}

// What the user is not allowed to read is named, and the rest is carried over.
func TestFromDeploymentDenied(t *testing.T) {
	in := runningIn(t, "testdata/from-deployment/shop.yaml")
	in.Services, in.Ingresses, in.Claims, in.ConfigMaps = nil, nil, nil, nil
	in.Unread = []string{"Services"}
	text, notes, err := FromDeployment(in)
	if err != nil {
		t.Fatal(err)
	}
	accepted(t, text)
	for _, want := range []string{
		"not allowed to read the Services", "MODE: norn cannot read key mode of ConfigMap shop", "size: 1Gi is a guess",
	} {
		if !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("no %q in\n%s", want, strings.Join(notes, "\n"))
		}
	}
}

// A Deployment is named like for kubectl, unless there is such a file.
func TestDeploymentIn(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := errors.Join(os.Mkdir("deploy", 0o755), os.WriteFile("deploy/compose.yaml", nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"deployment/shop": "shop", "deploy/shop.v2": "shop.v2", "deployments/shop": "shop",
		"deploy/compose.yaml": "", "deploy.yml": "", "Procfile": "", "service/shop": "",
	} {
		if got := DeploymentIn(arg); got != want {
			t.Errorf("%s: %q, want %q", arg, got, want)
		}
	}
}
