package state

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func newDir(t *testing.T) *Dir {
	t.Helper()
	d := &Dir{filepath.Join(t.TempDir(), "cluster")}
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMakeRejectsOtherFolders(t *testing.T) {
	d := &Dir{t.TempDir()}
	if err := os.WriteFile(d.Path("mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Make(); err == nil {
		t.Error("Make accepted a folder with other files")
	}
	if err := d.Wipe(); err == nil {
		t.Error("Wipe deleted a folder with other files")
	}
	if _, err := os.Stat(d.Path("mine")); err != nil {
		t.Error(err)
	}
	if err := (&Dir{"/var/lib/devcluster"}).Make(); err == nil {
		t.Error("Make accepted a folder that the namespaces cover")
	}
}

func TestWipe(t *testing.T) {
	d := newDir(t)
	for range 2 { // the second time, the folder does not exist
		if err := d.Wipe(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(d.Root); !os.IsNotExist(err) {
		t.Errorf("the folder still exists: %v", err)
	}
}

func TestRunning(t *testing.T) {
	d := newDir(t)
	want := func(pid int, held bool) {
		t.Helper()
		gotPid, gotHeld, err := d.running()
		if err != nil || gotPid != pid || gotHeld != held {
			t.Errorf("running: pid %d, held %t, error %v; want %d, %t", gotPid, gotHeld, err, pid, held)
		}
	}
	want(0, false)
	l, err := d.Acquire(Cluster)
	if err != nil {
		t.Fatal(err)
	}
	want(0, true) // held without a pid
	if err := l.Note(os.Getpid()); err != nil {
		t.Fatal(err)
	}
	want(os.Getpid(), true)
	if err := l.Note(1 << 30); err != nil { // the holder was killed, and its children have not ended yet
		t.Fatal(err)
	}
	want(0, true)
	l.Release()
	want(0, false) // whatever pid is in the file
}

func TestListenTakesAnotherPortAndKeepsIt(t *testing.T) {
	d := newDir(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := taken.Addr().(*net.TCPAddr).Port
	if _, err := d.SetPorts(Info{APIPort: port, RegistryPort: port}); err != nil {
		t.Fatal(err)
	}
	l, err := d.Listen(false)
	if err != nil {
		t.Fatal(err)
	}
	if l.Info.APIPort <= port || l.Info.RegistryPort <= l.Info.APIPort {
		t.Errorf("ports %d and %d, but %d is taken", l.Info.APIPort, l.Info.RegistryPort, port)
	}
	if d.Info() != l.Info || l.Info.Registry != fmt.Sprintf("127.0.0.1:%d", l.Info.RegistryPort) {
		t.Errorf("stored %+v, want %+v", d.Info(), l.Info)
	}
	_ = l.Close()
	_ = taken.Close()
	again, err := d.Listen(false)
	if err != nil {
		t.Fatal(err)
	}
	if again.Info != l.Info {
		t.Errorf("second start %+v, first start %+v", again.Info, l.Info)
	}
	_ = again.Close()
}

func TestListenForAGateway(t *testing.T) {
	d := newDir(t)
	l, err := d.Listen(true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if len(l.Files()) != 4 || l.Info.Gateway == "" || l.Info.Gateway == l.Info.GatewayTLS {
		t.Errorf("%d sockets, %+v", len(l.Files()), l.Info)
	}
}

func TestSettingsAreKept(t *testing.T) {
	d := newDir(t)
	if s, err := d.Settings(); err != nil || s.Nodes != 1 || s.DNS {
		t.Errorf("settings of a new cluster: %+v, error %v", s, err)
	}
	want := Settings{Nodes: 3, Taints: map[string][]string{"node-2": {"a=b:NoSchedule"}}}
	if err := d.SetSettings(want); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Settings(); err != nil || got.Nodes != 3 || got.Taints["node-2"][0] != "a=b:NoSchedule" {
		t.Errorf("%+v, %v", got, err)
	}
}
