package control

import "testing"

// A deploy changes the settings before the image. If an older ReplicaSet has the new settings with the old image, its
// number becomes the newest before that of the new version. rollback goes back to what ran.
func TestRollbackToWhatRan(t *testing.T) {
	t.Parallel()
	w := running(t)
	level := func(value string) { w.WriteApp("shop", workerApp+"env: {LEVEL: "+value+"}\n") }
	ran := func() string {
		return w.Kubectl("get", "deployment", "shop", "-o",
			"jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].value}")
	}
	level("trace")
	expect(w, 0, []string{"forge", "shop"})
	level("debug")
	expect(w, 0, []string{"forge", "shop"})
	level("trace")
	expect(w, 0, []string{"deploy", "shop", "--image", image("second")})
	expect(w, 0, []string{"restart", "shop"})
	for _, want := range []string{image("first") + " debug", image("second") + " trace", image("first") + " debug"} {
		expect(w, 0, []string{"rollback", "shop"})
		if got := ran(); got != want {
			t.Fatalf("%q runs, want %q:\n%s", got, want, expect(w, 0, []string{"history", "shop"}))
		}
	}
}
