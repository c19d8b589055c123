package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// PushBinary builds an image that contains only a static binary, and pushes it as ref.
func PushBinary(ctx context.Context, ref, binary string) error {
	target, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	var layerTar bytes.Buffer
	w := tar.NewWriter(&layerTar)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(data))}); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(layerTar.Bytes())), nil
	})
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{Entrypoint: []string{"/app"}}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	if err := remote.Write(target, image, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	return nil
}
