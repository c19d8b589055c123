package bed

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
)

// push pushes an image with one layer and the entrypoint /name to the cluster's registry. It builds the image itself,
// because a builder takes much longer (OCI image and distribution specifications). The image also gets the tag, unless
// that is "".
func (c *Cluster) push(name, tag string, files map[string]string) (ref string, err error) {
	layer, err := archive(files)
	if err != nil {
		return "", err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/" + name}, "Env": []string{"PATH=/"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(layer)}},
	})
	if err != nil {
		return "", err
	}
	const (
		manifestType = "application/vnd.oci.image.manifest.v1+json"
		configType   = "application/vnd.oci.image.config.v1+json"
		layerType    = "application/vnd.oci.image.layer.v1.tar"
	)
	descriptor := func(kind string, data []byte) map[string]any {
		return map[string]any{"mediaType": kind, "digest": digest(data), "size": len(data)}
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor(configType, config), "layers": []any{descriptor(layerType, layer)},
	})
	if err != nil {
		return "", err
	}
	repository := "http://" + c.Registry + "/v2/" + name
	for _, blob := range [][]byte{layer, config} {
		upload := repository + "/blobs/uploads/?digest=" + digest(blob)
		if err := send(http.MethodPost, upload, "application/octet-stream", blob); err != nil {
			return "", err
		}
	}
	for _, as := range []string{digest(manifest), tag} {
		if as == "" {
			continue
		}
		if err := send(http.MethodPut, repository+"/manifests/"+as, manifestType, manifest); err != nil {
			return "", err
		}
	}
	return c.Registry + "/" + name + "@" + digest(manifest), nil
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// archive returns a tar archive of executable files.
func archive(files map[string]string) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(files[name]))}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(w, files[name]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// send sends a request to the registry. A status other than 2xx is an error.
func send(method, url, kind string, data []byte) error {
	req, err := http.NewRequest(method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, text)
	}
	return nil
}
