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
			accepted(t, text)
			got := text + "---\n" + strings.Join(notes, "\n") + "\n"
			if strings.Contains(got, "CANARY") {
				t.Errorf("a secret is in:\n%s", got)
			}
			golden := path + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(golden); err != nil || string(want) != got {
				t.Errorf("got %v:\n%s\nwant:\n%s", err, got, want)
			}
		})
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
