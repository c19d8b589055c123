package database

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSnapshotNames(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, want := range map[string]Snapshot{
		"shop_0123456789ab_20260102T030405Z.dump": {Database: "shop", Version: "0123456789ab", Time: at},
		"my_shop_db_0123456789ab-dirty_20260102T030405Z.dump": {
			Database: "my_shop_db", Version: "0123456789ab-dirty", Time: at,
		},
	} {
		got, ok := parseSnapshot(name)
		if !ok || got != want || got.Name() != name {
			t.Errorf("parseSnapshot(%q) = %+v, %t; want %+v", name, got, ok, want)
		}
	}
	for _, name := range []string{
		"", ".dump", "shop.dump", "shop_20260102T030405Z.dump", "_a_20260102T030405Z.dump",
		".shop_a_20260102T030405Z.dump.partial", "shop_a_yesterday.dump",
	} {
		if s, ok := parseSnapshot(name); ok {
			t.Errorf("parseSnapshot(%q) = %+v, want not ok", name, s)
		}
	}
}

func TestFileVersion(t *testing.T) {
	for version, want := range map[string]string{
		"0123456789ab-dirty": "0123456789ab-dirty",
		"r.example.com/shop@sha256:" + strings.Repeat("a", 64): "aaaaaaaaaaaa",
		"r.example.com/team/shop_x:v1":                         "shop-x-v1",
	} {
		if got := FileVersion(version); got != want {
			t.Errorf("FileVersion(%q) = %q, want %q", version, got, want)
		}
	}
}

// Retain removes the oldest snapshots of one database and keeps the snapshots of other databases.
func TestRetain(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		at := time.Date(2026, 1, 1+i, 0, 0, 0, 0, time.UTC)
		writeFile(t, filepath.Join(dir, Snapshot{Database: "shop", Version: "a", Time: at}.Name()), "x")
		writeFile(t, filepath.Join(dir, Snapshot{Database: "other", Version: "a", Time: at}.Name()), "x")
	}
	writeFile(t, filepath.Join(dir, "notes.txt"), "x")
	if err := Retain(dir, "shop", 2); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2+4+1 {
		t.Fatalf("%v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "shop_a_20260104T000000Z.dump")); err != nil {
		t.Errorf("the newest snapshot was removed: %v", err)
	}
}

func TestConnectionTo(t *testing.T) {
	settings := Settings{Host: "pg", User: "norn"}
	for _, c := range []struct {
		address  string
		settings Settings
		want     string
	}{
		{"", settings, "[norn]\ndbname=shop\nhost=pg\nuser=norn\n"},
		{"postgres://me:s%20ecret@db:5433/other?sslmode=disable", settings,
			"[norn]\ndbname=shop\nhost=db\npassword=s ecret\nport=5433\nsslmode=disable\nuser=me\n"},
		{"postgres://me@db/other", Settings{LocalHost: "/run/socket"}, "[norn]\ndbname=shop\nhost=/run/socket\nuser=me\n"},
		{"mysql://me:x@db/other", settings, "[norn]\ndbname=shop\nhost=pg\nuser=norn\n"},
	} {
		got, err := ConnectionTo("shop", c.address, c.settings)
		if err != nil || got.serviceFile() != c.want {
			t.Errorf("ConnectionTo(%q): %q, %v; want %q", c.address, got.serviceFile(), err, c.want)
		}
	}
	_, err := ConnectionTo("shop", "postgres://me:a%0Ahost=evil@db/x", settings)
	if err == nil || strings.Contains(err.Error(), "evil") {
		t.Errorf("a line break in a password: error %v, want one that does not quote it", err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
