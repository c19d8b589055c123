package database

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"norn/pkg/pipeline"
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
		{"postgres://app:pa#s^{s} w?rd@db.prod/shop", settings,
			"[norn]\ndbname=shop\nhost=db.prod\npassword=pa#s^{s} w?rd\nuser=app\n"},
		{"postgres://h/shop?schema=public&connection_limit=5&ssl=true", settings,
			"[norn]\ndbname=shop\nhost=h\nsslmode=require\nuser=norn\n"},
		{"postgresql+asyncpg://me:x@db:6432/shop?prepared_statement_cache_size=0", settings,
			"[norn]\ndbname=shop\nhost=db\npassword=x\nport=6432\nuser=me\n"},
		{"jdbc:postgresql://db/shop?user=me&password=a%26b", settings,
			"[norn]\ndbname=shop\nhost=db\npassword=a&b\nuser=me\n"},
		{`host=db port=5433 user=me password='a \'b\\' dbname=other sslmode=no-verify`, settings,
			"[norn]\ndbname=shop\nhost=db\npassword=a 'b\\\nport=5433\nsslmode=require\nuser=me\n"},
		{"postgres://me@h1:5999,h2,[::1]:7/shop?target_session_attrs=primary", settings,
			"[norn]\ndbname=shop\nhost=h1,h2,::1\nport=5999,,7\ntarget_session_attrs=primary\nuser=me\n"},
		{"postgres://me@h1:5999,h2/shop?hostaddr=10.0.0.1", Settings{LocalHost: "tunnel"},
			"[norn]\ndbname=shop\nhost=tunnel\nport=5999\nuser=me\n"},
	} {
		got, err := ConnectionTo("shop", c.address, c.settings)
		if err != nil || got.serviceFile() != c.want {
			t.Errorf("ConnectionTo(%q): %q, %v; want %q", c.address, got.serviceFile(), err, c.want)
		}
	}
}

// An address that norn cannot read is refused, and not shown. Another host may have a database of the same name.
func TestUnreadableAddress(t *testing.T) {
	for _, address := range []string{
		"mysql://me:canary@db/shop", "db.prod", "canary", "postgres:/me:canary@db/shop",
		"postgres://me:a%0Ahost=canary@db/x", "postgres://me:canary%zz@db/x", "postgres://me:can@ry@canary/x",
		"postgres://me:can/ary@db/x", "postgres://me@db:canary/x", "postgres://me:canary%20@db/x",
		"host='canary", "host canary=x", "host=db canary",
	} {
		c, err := ConnectionTo("shop", address, Settings{Host: "pg"})
		var usage *pipeline.UsageError
		if !errors.As(err, &usage) || strings.Contains(err.Error(), "canary") {
			t.Errorf("ConnectionTo(%q): %v, error %v; want a usage error that does not quote it", address, c, err)
		}
	}
}

// An address of any length reaches a program that reads it, and holds up none that does not.
func TestLongAddress(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	c := Connection{"host": "db", "password": strings.Repeat("x", 200<<10)}
	for name, row := range map[string]struct {
		program string
		bytes   int64
		fails   bool
	}{
		"reads":         {`cat "$PGSERVICEFILE"`, int64(len(c.serviceFile())), false},
		"does not read": {"exit 1", 0, true},
	} {
		if err := os.WriteFile(filepath.Join(bin, "pg_dump"), []byte("#!/bin/sh\n"+row.program+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		made, err := Dump(t.Context(), c, t.TempDir(), Snapshot{Database: "shop", Version: "a", Time: time.Now()}, io.Discard)
		if (err != nil) != row.fails || made.Bytes != row.bytes {
			t.Errorf("%s: %d bytes, %v; want %d", name, made.Bytes, err, row.bytes)
		}
	}
}

// A dump never leaves its folder.
func TestDumpStaysInFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "snapshots")
	s := Snapshot{Database: "x/../../escaped", Version: "a", Time: time.Now()}
	_, err := Dump(t.Context(), Connection{}, dir, s, io.Discard)
	if _, missing := os.Stat(dir); err == nil || !errors.Is(missing, os.ErrNotExist) {
		t.Errorf("Dump: %v, and the folder: %v", err, missing)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
