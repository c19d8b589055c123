package addons

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// testConfig returns a Config whose certificates and definitions are short made-up files.
func testConfig(t *testing.T) Config {
	t.Helper()
	dir := t.TempDir()
	for path, text := range map[string]string{
		"pki/ca.crt": "ca", "pki/gateway.crt": "cert", "pki/gateway.key": "key",
		"crds/b.yaml": definition("gateways"), "crds/a.yaml": definition("gatewayclasses") + "\n",
	} {
		file := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Config{
		Dir: dir, PKI: filepath.Join(dir, "pki"), CRDs: filepath.Join(dir, "crds"), Kubeconfig: "/k/inner.kubeconfig",
		HostIP: "10.244.0.1", ClusterDomain: "cluster.test", DNSIP: "10.96.0.10",
		HTTPPort: 80, HTTPSPort: 443,
	}
}

func definition(name string) string {
	return "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: " + name + ".x}"
}

func TestObjects(t *testing.T) {
	want := map[string][]string{
		"dns": {
			"/api/v1/namespaces/kube-system/services/kube-dns",
			"/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns",
		},
		"gateway": {
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gatewayclasses.x",
			"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.x",
			"/api/v1/namespaces/edge",
			"/api/v1/namespaces/edge/secrets/public-tls",
			"/apis/gateway.networking.k8s.io/v1/gatewayclasses/traefik",
			"/apis/gateway.networking.k8s.io/v1/namespaces/edge/gateways/public",
			"/apis/networking.k8s.io/v1/ingressclasses/traefik",
		},
		"metrics": {
			"/api/v1/namespaces/kube-system/services/metrics-server",
			"/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/metrics-server",
			"/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
			"/apis/rbac.authorization.k8s.io/v1/clusterroles/system:aggregated-metrics-reader",
		},
	}
	for _, a := range []Addon{DNS, Gateway, Metrics} {
		t.Run(a.Name, func(t *testing.T) {
			objects := split(t, a)
			var paths []string
			for _, o := range objects {
				paths = append(paths, o.Path)
				if strings.Contains(string(o.YAML), "${") || strings.Contains(string(o.YAML), ": \n") {
					t.Errorf("a value is missing:\n%s", o.YAML)
				}
			}
			if !slices.Equal(paths, want[a.Name]) {
				t.Errorf("paths:\n%s\nwant:\n%s", strings.Join(paths, "\n"), strings.Join(want[a.Name], "\n"))
			}
		})
	}
}

func split(t *testing.T, a Addon) []Object {
	t.Helper()
	data, err := a.Objects(testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	objects, err := Split(data)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestCertificatesInObjects(t *testing.T) {
	var secret struct{ Data map[string][]byte }
	if err := yaml.Unmarshal(split(t, Gateway)[3].YAML, &secret); err != nil {
		t.Fatal(err)
	}
	if string(secret.Data["tls.crt"]) != "cert" || string(secret.Data["tls.key"]) != "key" {
		t.Errorf("Secret holds %q", secret.Data)
	}
	var service struct{ Spec struct{ CABundle []byte } }
	if err := yaml.Unmarshal(split(t, Metrics)[2].YAML, &service); err != nil {
		t.Fatal(err)
	}
	if string(service.Spec.CABundle) != "ca" {
		t.Errorf("APIService has the CA %q", service.Spec.CABundle)
	}
}

func TestMissingFiles(t *testing.T) {
	for _, file := range []string{"pki/gateway.crt", "pki/gateway.key", "crds/*.yaml"} {
		c := testConfig(t)
		found, err := filepath.Glob(filepath.Join(c.Dir, file))
		if err != nil || len(found) == 0 {
			t.Fatal(found, err)
		}
		for _, f := range found {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Gateway.Objects(c); err == nil {
			t.Errorf("no error without %s", file)
		}
	}
	if _, err := Metrics.Objects(Config{PKI: t.TempDir()}); err == nil {
		t.Error("no error without a CA")
	}
}

func TestSplit(t *testing.T) {
	if _, err := Split([]byte("kind: Service\nmetadata: {name: a}")); err == nil {
		t.Error("no error without an apiVersion")
	}
	if _, err := Split([]byte("{")); err == nil {
		t.Error("no error for text that is not YAML")
	}
	if objects, err := Split([]byte("\n---\n")); err != nil || len(objects) != 0 {
		t.Errorf("empty documents: %v, %v", objects, err)
	}
}

func TestCorefile(t *testing.T) {
	c := testConfig(t)
	path := filepath.Join(c.Dir, "Corefile")
	if got := DNS.Args(c); !slices.Equal(got, []string{"-conf", path}) {
		t.Errorf("args: %q", got)
	}
	text := DNS.Files(c)[path]
	for _, line := range []string{
		"bind 10.244.0.1\n", "ready 10.244.0.1:8181\n", "kubernetes cluster.test in-addr.arpa ip6.arpa {\n",
		"kubeconfig /k/inner.kubeconfig\n", "nxdomain\n",
	} {
		if !strings.Contains(text, "\t"+line) {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestArgs(t *testing.T) {
	c := testConfig(t)
	for _, want := range []string{
		"--kubeconfig=/k/inner.kubeconfig", "--entrypoints.web.address=10.244.0.1:80",
		"--entrypoints.websecure.address=10.244.0.1:443",
	} {
		if !slices.Contains(Gateway.Args(c), want) {
			t.Errorf("traefik lacks %s: %q", want, Gateway.Args(c))
		}
	}
	for _, arg := range Metrics.Args(c) {
		if strings.Contains(arg, "insecure") {
			t.Errorf("metrics-server skips a check: %s", arg)
		}
	}
	if got := DNS.Serves(c); got != "http://10.244.0.1:8181/ready" {
		t.Errorf("URL at which the DNS serves: %s", got)
	}
}

func TestProgrammed(t *testing.T) {
	for body, want := range map[string]bool{
		`{"status":{"conditions":[{"type":"Accepted","status":"True"},{"type":"Programmed","status":"True"}]}}`: true,
		`{"status":{"conditions":[{"type":"Programmed","status":"False"}]}}`:                                    false,
		`{"status":{"conditions":[{"type":"Accepted","status":"True"}]}}`:                                       false,
		`{}`: false,
		``:   false,
	} {
		if got := Gateway.Ready.Holds([]byte(body)); got != want {
			t.Errorf("%s: %t", body, got)
		}
	}
}
