package deploy

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"norn/pkg/infraspec"
	"norn/pkg/k8s/rollout"
)

func TestSnapshotNames(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, want := range map[string]Snapshot{
		"shop_0123456789ab_20260102T030405Z.dump":             {Database: "shop", Version: "0123456789ab", Time: at},
		"my_shop_db_0123456789ab-dirty_20260102T030405Z.dump": {Database: "my_shop_db", Version: "0123456789ab-dirty", Time: at},
	} {
		got, ok := parseSnapshot(name)
		if !ok || got != want || got.Name() != name {
			t.Errorf("%s: %+v, %t", name, got, ok)
		}
	}
	for _, name := range []string{"", ".dump", "shop.dump", "shop_20260102T030405Z.dump", "_a_20260102T030405Z.dump", ".shop_a_20260102T030405Z.dump.partial", "shop_a_yesterday.dump"} {
		if s, ok := parseSnapshot(name); ok {
			t.Errorf("%q: %+v", name, s)
		}
	}
}

func TestFileVersion(t *testing.T) {
	for version, want := range map[string]string{
		"0123456789ab-dirty": "0123456789ab-dirty",
		"r.example.com/shop@sha256:" + strings.Repeat("a", 64): "aaaaaaaaaaaa",
		"r.example.com/team/shop_x:v1":                         "shop-x-v1",
	} {
		if got := fileVersion(version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}

// The oldest snapshots of one database go, others' stay.
func TestRetain(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		at := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
		write(t, filepath.Join(dir, Snapshot{Database: "shop", Version: "a", Time: at}.Name()), "x")
		write(t, filepath.Join(dir, Snapshot{Database: "other", Version: "a", Time: at}.Name()), "x")
	}
	write(t, filepath.Join(dir, "notes.txt"), "x")
	if err := retain(dir, "shop", 2); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2+4+1 {
		t.Fatalf("%v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "shop_a_20260104T000000Z.dump")); err != nil {
		t.Errorf("the newest is gone: %v", err)
	}
}

func TestConnectionTo(t *testing.T) {
	settings := Database{Host: "pg", User: "norn"}
	for _, c := range []struct {
		address  string
		settings Database
		want     string
	}{
		{"", settings, "[norn]\ndbname=shop\nhost=pg\nuser=norn\n"},
		{"postgres://me:s%20ecret@db:5433/other?sslmode=disable", settings, "[norn]\ndbname=shop\nhost=db\npassword=s ecret\nport=5433\nsslmode=disable\nuser=me\n"},
		{"postgres://me@db/other", Database{LocalHost: "/run/socket"}, "[norn]\ndbname=shop\nhost=/run/socket\nuser=me\n"},
		{"mysql://me:x@db/other", settings, "[norn]\ndbname=shop\nhost=pg\nuser=norn\n"},
	} {
		got, err := connectionTo("shop", c.address, c.settings)
		if err != nil || got.serviceFile() != c.want {
			t.Errorf("%s: %q, %v", c.address, got.serviceFile(), err)
		}
	}
	if _, err := connectionTo("shop", "postgres://me:a%0Ahost=evil@db/x", settings); err == nil || strings.Contains(err.Error(), "evil") {
		t.Errorf("a line break in a password: %v", err)
	}
}

func TestBeyond(t *testing.T) {
	tags := []string{"0123456789ab", "latest", "1123456789ab-dirty", "2123456789ab", "v1", "3123456789ab-dirty.1700000000"}
	if got := beyond(tags, 2); !slices.Equal(got, []string{"2123456789ab", "3123456789ab-dirty.1700000000"}) {
		t.Errorf("%v", got)
	}
	if got := beyond(tags, 9); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// buildah's cache does not see norn's build args but in RUN.
func TestCacheable(t *testing.T) {
	for text, want := range map[string]bool{
		"FROM scratch\nCOPY a /\n":                                  true,
		"FROM x\nARG VERSION\nRUN echo $VERSION > /v\n":             true,
		"FROM x\nARG VERSION\nENV V=$VERSION\n":                     false,
		"FROM x\nARG BUILD_NUMBER=0\nLABEL n=\"${BUILD_NUMBER}\"\n": false,
		"FROM x\n# ENV V=$VERSION\n":                                true,
	} {
		path := filepath.Join(t.TempDir(), "Dockerfile")
		write(t, path, text)
		if got := cacheable(path); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}

func TestCandidates(t *testing.T) {
	got := candidates([]string{"2026/11/24 09:14:58 listening on :3123", "http://0.0.0.0:4321/", "Port 5678 is open", "pid 7777"}, 8080)
	for _, port := range []int{3123, 4321, 5678, 3000} {
		if !slices.Contains(got, port) {
			t.Errorf("%d is not in %v", port, got)
		}
	}
	if slices.Contains(got, 8080) || slices.Contains(got, 7777) {
		t.Errorf("%v", got)
	}
}

func TestLoader(t *testing.T) {
	for kind, want := range map[string]string{
		"kind": "kind load image-archive f --name n", "k3d": "k3d image import f --cluster n", "minikube": "minikube image load f --profile n",
		"k3s": "k3s ctr images import f", "containerd": "ctr --namespace k8s.io images import f", "devcluster": "devcluster load f",
	} {
		name, args := loader(kind, "n", "f")
		if got := name + " " + strings.Join(args, " "); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestHint(t *testing.T) {
	spec, _, err := infraspec.Parse("/x/infraspec.yaml", []byte("app: shop\nrole: webserver\nport: 8080\nhealthcheck: /healthz\nresources: {limits: {memory: 1Gi}, requests: {cpu: 2}}\nvolumes: [{name: d, mountPath: /d, hostPath: /nosuch}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	refused := "the startup probe of pod p does not pass: GET /healthz on port 8080: connection refused"
	for _, c := range []struct {
		v     rollout.Verdict
		ports []int
		want  string
	}{
		{rollout.Verdict{Reason: rollout.ProbeFailing, Message: refused}, []int{3000, 9000}, "infraspec.yaml line 3 says port 8080; the container listens on 3000, 9000"},
		{rollout.Verdict{Reason: rollout.ProbeFailing, Message: refused}, nil, "infraspec.yaml line 3 says port 8080, and nothing listens there: does"},
		{rollout.Verdict{Reason: rollout.LivenessKilled, Message: "HTTP status 500"}, nil, "infraspec.yaml line 4 says healthcheck: /healthz"},
		{rollout.Verdict{Reason: rollout.OutOfMemory}, nil, "infraspec.yaml line 5 sets the limit"},
		{rollout.Verdict{Reason: rollout.Unschedulable, Message: "1 Insufficient cpu"}, nil, "infraspec.yaml line 5 asks for cpu"},
		{rollout.Verdict{Reason: rollout.Unschedulable, Message: "1 node(s) had untolerated taint {a: b}"}, nil, "its nodes are tainted"},
		{rollout.Verdict{Reason: rollout.VolumeNotMounted, Message: `hostPath type check failed: /nosuch is not a directory`}, nil, "infraspec.yaml line 6 says hostPath: /nosuch"},
	} {
		if got := hint(c.v, spec, c.ports); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q", c.v.Reason, got)
		}
		_ = hint(c.v, nil, c.ports) // without an infraspec it is shorter, and no panic
	}
}

// A folder that a killed run has left goes with the next run, that of a living run stays.
func TestSweepTemporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	living, err := makeTemporary()
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(os.TempDir(), temporaryPrefix+"dead")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dead, "lock"), "")
	next, err := makeTemporary()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead run's folder: %v", err)
	}
	if _, err := os.Stat(living.dir); err != nil {
		t.Errorf("the living run's folder: %v", err)
	}
	for _, tmp := range []*temporary{living, next} {
		if err := tmp.remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
