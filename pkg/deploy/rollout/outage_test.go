package rollout

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"norn/pkg/k8s"
	k8srollout "norn/pkg/k8s/rollout"
)

// server is an API server with one Deployment. It answers lists, and never reports a change.
type server struct {
	ready atomic.Bool // the Pod is available
	away  atomic.Bool // it answers nothing else
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.away.Load() {
		http.Error(w, "away", http.StatusServiceUnavailable)
		return
	}
	if r.URL.Query().Has("sendInitialEvents") {
		http.Error(w, "{}", http.StatusUnprocessableEntity) // client-go then lists
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Query().Has("watch") {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	_ = json.NewEncoder(w).Encode(s.list(r.URL.Path)) // if it fails, so does the test
}

func (s *server) list(path string) any {
	kind := func(version, name string) metav1.TypeMeta { return metav1.TypeMeta{APIVersion: version, Kind: name} }
	meta := metav1.ListMeta{ResourceVersion: "1"}
	labels := map[string]string{"app": "shop"}
	d := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "shops", UID: "d", Labels: labels}}
	d.Status = appsv1.DeploymentStatus{Replicas: 1, UpdatedReplicas: 1}
	probed := corev1.Container{Name: "shop", ReadinessProbe: &corev1.Probe{}}
	d.Spec.Template.Spec.Containers = []corev1.Container{probed}
	yes, status := true, corev1.ConditionFalse
	if s.ready.Load() {
		d.Status.AvailableReplicas, status = 1, corev1.ConditionTrue
	}
	switch {
	case strings.HasSuffix(path, "/deployments"):
		items := []appsv1.Deployment{d}
		return &appsv1.DeploymentList{TypeMeta: kind("apps/v1", "DeploymentList"), ListMeta: meta, Items: items}
	case strings.HasSuffix(path, "/replicasets"):
		rs := appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: "shop-1", Namespace: "shops", UID: "r", Labels: labels}}
		rs.OwnerReferences = []metav1.OwnerReference{{UID: "d", Controller: &yes}}
		rs.Spec.Template = d.Spec.Template
		items := []appsv1.ReplicaSet{rs}
		return &appsv1.ReplicaSetList{TypeMeta: kind("apps/v1", "ReplicaSetList"), ListMeta: meta, Items: items}
	case strings.HasSuffix(path, "/pods"):
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "shop-1-a", Namespace: "shops", Labels: labels}}
		p.OwnerReferences = []metav1.OwnerReference{{UID: "r", Controller: &yes}}
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}
		return &corev1.PodList{TypeMeta: kind("v1", "PodList"), ListMeta: meta, Items: []corev1.Pod{p}}
	}
	if strings.HasSuffix(path, "/events") {
		return &corev1.EventList{TypeMeta: kind("v1", "EventList"), ListMeta: meta}
	}
	return &corev1.PersistentVolumeClaimList{TypeMeta: kind("v1", "PersistentVolumeClaimList"), ListMeta: meta}
}

// At the time limit, norn asks the API server again: what it saw last may be from before an outage.
func TestTimeLimitAfterAnOutage(t *testing.T) {
	for _, c := range []struct {
		name        string
		ready, away bool
		state       k8srollout.State
		fails       bool
	}{
		{"the Pods are available by now", true, false, k8srollout.Complete, false},
		{"the Pods are not available", false, false, k8srollout.Failed, false},
		{"the API server is away", false, true, k8srollout.Progressing, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &server{}
			api := httptest.NewServer(s)
			defer api.Close()
			defer api.CloseClientConnections()
			cluster, err := k8s.New(&rest.Config{Host: api.URL}, "test")
			if err != nil {
				t.Fatal(err)
			}
			objects := cluster.Watch(t.Context(), "shops", "shop", "shop")
			defer objects.Stop()
			r := &runner{
				Target:  Target{Namespace: "shops", App: "shop", Timeout: 2 * time.Second},
				cluster: cluster, objects: objects, out: io.Discard, changed: true,
			}
			time.AfterFunc(time.Second, func() {
				s.ready.Store(c.ready)
				s.away.Store(c.away)
			})
			applied := s.list("/deployments").(*appsv1.DeploymentList).Items[0]
			verdict, _, err := r.watch(t.Context(), &applied)
			if verdict.State != c.state || err != nil != c.fails {
				t.Errorf("state %d, error %v: %s", verdict.State, err, verdict.Message)
			}
		})
	}
}
