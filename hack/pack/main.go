// Command pack creates an archive whose bytes depend only on the files: their order, times and owners are fixed.
//
// Usage: pack ARCHIVE FOLDER. ARCHIVE ends in .tar.gz or .zip; FOLDER is added under its own name. SOURCE_DATE_EPOCH is
// the time of all entries, in seconds (reproducible-builds.org).
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH")); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run(args []string, epoch string) error {
	if len(args) != 2 {
		return errors.New("usage: pack ARCHIVE FOLDER")
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("invalid SOURCE_DATE_EPOCH %q: want seconds", epoch)
	}
	out, err := os.Create(args[0]) //nolint:gosec // the caller chooses the path
	if err != nil {
		return fmt.Errorf("create the archive: %w", err)
	}
	at := time.Unix(seconds, 0).UTC()
	if strings.HasSuffix(args[0], ".zip") {
		err = packZip(out, args[1], at)
	} else {
		err = packTar(out, args[1], at)
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("create %s: %w", args[0], err)
	}
	return nil
}

// entry is one file or folder of an archive.
type entry struct {
	name string // within the archive
	path string
	mode fs.FileMode
}

// walk visits a folder and its contents in the order of names, which fs.WalkDir guarantees.
func walk(folder string, visit func(entry) error) error {
	parent := filepath.Dir(filepath.Clean(folder))
	//nolint:gosec // the caller chooses the folder
	return filepath.WalkDir(folder, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(parent, p)
		if err != nil {
			return err
		}
		e := entry{filepath.ToSlash(rel), p, 0o644}
		info, err := d.Info()
		switch {
		case err != nil:
			return err
		case d.IsDir():
			e.name, e.mode = e.name+"/", fs.ModeDir|0o755
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", p)
		case info.Mode()&0o100 != 0:
			e.mode = 0o755
		}
		return visit(e)
	})
}

func packTar(out io.Writer, folder string, at time.Time) error {
	zipped, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(zipped)
	err = walk(folder, func(e entry) error {
		h := &tar.Header{Name: e.name, Mode: int64(e.mode.Perm()), ModTime: at, Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if e.mode.IsDir() {
			h.Typeflag = tar.TypeDir
			return w.WriteHeader(h)
		}
		info, err := os.Stat(e.path)
		if err != nil {
			return err
		}
		h.Size = info.Size()
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		return copyFile(w, e.path)
	})
	return errors.Join(err, w.Close(), zipped.Close())
}

func packZip(out io.Writer, folder string, at time.Time) error {
	w := zip.NewWriter(out)
	err := walk(folder, func(e entry) error {
		h := &zip.FileHeader{Name: e.name, Modified: at, Method: zip.Deflate}
		h.SetMode(e.mode)
		to, err := w.CreateHeader(h)
		if err != nil || e.mode.IsDir() {
			return err
		}
		return copyFile(to, e.path)
	})
	return errors.Join(err, w.Close())
}

func copyFile(to io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	return errors.Join(err, f.Close())
}
