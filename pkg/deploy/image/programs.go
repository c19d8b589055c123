package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"path"
	"strings"
)

// MissingPrograms returns those of the programs that an image in a builder's store certainly lacks: no file or link in
// any of its layers has the name. It returns an error if the image cannot be looked at.
func MissingPrograms(ctx context.Context, b Builder, made Request, programs []string) ([]string, error) {
	if made.isIndex() {
		return nil, errors.New("it is for several platforms")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	archive, to := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := b.Archive(ctx, io.Discard, made.Image, to)
		_ = to.CloseWithError(err)
		written <- err
	}()
	missing, err := missingFrom(archive, programs)
	if len(missing) == 0 { // the rest of the image does not matter
		cancel()
	} else { // padding behind the archive's end
		_, _ = io.Copy(io.Discard, archive)
	}
	_ = archive.Close()
	if archiveErr := <-written; len(missing) > 0 {
		err = archiveErr
	}
	return missing, err
}

// errAllFound ends the search early.
var errAllFound = errors.New("all programs are in the image")

// missingFrom returns the programs that no entry in the layers of an image archive is named after (docker save:
// github.com/moby/docker-image-spec). It reads the archive only as far as it needs to.
func missingFrom(archive io.Reader, programs []string) ([]string, error) {
	wanted := map[string]bool{}
	for _, p := range programs {
		wanted[path.Base(p)] = true
	}
	layers := 0
	err := eachEntry(archive, func(h *tar.Header, content io.Reader) error {
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		layer, err := openLayer(content)
		if err != nil || layer == nil {
			return err
		}
		layers++
		return eachEntry(layer, func(h *tar.Header, _ io.Reader) error {
			if h.Typeflag != tar.TypeDir {
				delete(wanted, path.Base(h.Name))
			}
			if len(wanted) == 0 {
				return errAllFound
			}
			return nil
		})
	})
	switch {
	case errors.Is(err, errAllFound):
		return nil, nil
	case err != nil:
		return nil, err
	case layers == 0:
		return nil, errors.New("its archive has no layers")
	}
	var missing []string
	for _, p := range programs {
		if wanted[path.Base(p)] {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

func eachEntry(archive io.Reader, do func(*tar.Header, io.Reader) error) error {
	for entries := tar.NewReader(archive); ; {
		h, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(h, entries); err != nil {
			return err
		}
	}
}

// The beginnings of the files in an image archive.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

// openLayer returns the tar stream of a layer, or nil for another file of the archive.
func openLayer(file io.Reader) (io.Reader, error) {
	const tarMagicEnd = 262 // of "ustar" (POSIX: pax Interchange Format)
	buffered := bufio.NewReaderSize(file, tarMagicEnd)
	head, err := buffered.Peek(tarMagicEnd)
	switch {
	case bytes.HasPrefix(head, []byte(zstdMagic)):
		return nil, errors.New("its layers are compressed with zstd")
	case bytes.HasPrefix(head, []byte(gzipMagic)):
		return gzip.NewReader(buffered)
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case len(head) == tarMagicEnd && strings.HasSuffix(string(head), "ustar"):
		return buffered, nil
	case len(bytes.Trim(head, "\x00")) == 0: // a layer without entries
		return bytes.NewReader(nil), nil
	}
	return nil, nil //nolint:nilnil // another file
}
