package tunnel

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"norn/pkg/k8s/metadata"
)

// pending returns the value of RestartPendingAnnotation for a text that app has written.
func pending(app, text string) string {
	sum := sha256.Sum256([]byte(text))
	return app + " " + hex.EncodeToString(sum[:8])
}

// MarkPending notes that app has changed the text in m, and cloudflared has not been restarted with it yet.
func MarkPending(m *corev1.ConfigMap, app string) {
	annotate(m, metadata.RestartPendingAnnotation, pending(app, m.Data[ConfigKey]))
}

// IsPending reports whether the text with which app waits for a restart is this one.
func IsPending(m *corev1.ConfigMap, app, text string) bool {
	return m.Annotations[metadata.RestartPendingAnnotation] == pending(app, text)
}

// Unfinished reports whether a run of app changed the text and did not restart cloudflared.
func Unfinished(m *corev1.ConfigMap, app string) bool {
	return strings.HasPrefix(m.Annotations[metadata.RestartPendingAnnotation], app+" ")
}
