package tunnel

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/metadata"
)

// pending returns the value of RestartPendingAnnotation for a text that app wrote.
func pending(app, text string) string {
	sum := sha256.Sum256([]byte(text))
	return app + " " + hex.EncodeToString(sum[:8])
}

// MarkPending records that app changed the text in m and that cloudflared has not restarted since.
func MarkPending(m *corev1.ConfigMap, app string) {
	annotate(m, metadata.RestartPendingAnnotation, pending(app, m.Data[ConfigKey]))
}

// IsPending reports whether a restart of cloudflared with this text of app is pending.
func IsPending(m *corev1.ConfigMap, app, text string) bool {
	return m.Annotations[metadata.RestartPendingAnnotation] == pending(app, text)
}

// Unfinished reports whether app changed the text in m and has not restarted cloudflared since.
func Unfinished(m *corev1.ConfigMap, app string) bool {
	return strings.HasPrefix(m.Annotations[metadata.RestartPendingAnnotation], app+" ")
}
