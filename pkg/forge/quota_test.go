package forge

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/infraspec"
	"norn/pkg/k8s"
)

func quota(hard map[string]string, used map[string]string) k8s.Budget {
	list := func(m map[string]string) corev1.ResourceList {
		out := corev1.ResourceList{}
		for name, amount := range m {
			out[corev1.ResourceName(name)] = resource.MustParse(amount)
		}
		return out
	}
	return k8s.Budget{Quotas: []corev1.ResourceQuota{{
		ObjectMeta: metav1.ObjectMeta{Name: "team"},
		Spec:       corev1.ResourceQuotaSpec{Hard: list(hard)},
		Status:     corev1.ResourceQuotaStatus{Used: list(used)},
	}}}
}

func TestCheckQuota(t *testing.T) {
	defaults := quota(map[string]string{"limits.memory": "1Gi"}, nil)
	defaults.Limits = []corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
		Type:    corev1.LimitTypeContainer,
		Default: corev1.ResourceList{"memory": resource.MustParse("600Mi")},
	}}}}}
	scoped := quota(map[string]string{"limits.memory": "1"}, nil)
	scoped.Quotas[0].Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScopeBestEffort}
	ranged := k8s.Budget{Limits: []corev1.LimitRange{{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer,
			Max:  corev1.ResourceList{"memory": resource.MustParse("64Mi")},
			Min:  corev1.ResourceList{"cpu": resource.MustParse("100m")},
		}}},
	}}}
	for _, c := range []struct {
		name, text string
		budget     k8s.Budget
		want       string // "" means no error
	}{
		{"no quota", "", k8s.Budget{}, ""},
		{
			"nothing said",
			"",
			quota(map[string]string{"limits.memory": "1Gi"}, nil),
			"ResourceQuota team requires every container to set limits.memory: set resources.limits.memory in the infraspec",
		},
		{
			"said",
			"resources: {limits: {memory: 128Mi}}",
			quota(map[string]string{"limits.memory": "1Gi", "requests.memory": "1Gi"}, nil),
			"",
		},
		{
			"too much together",
			"replicas: 3\nresources: {limits: {memory: 400Mi}}",
			quota(map[string]string{"limits.memory": "1Gi"}, nil),
			"leaves 1Gi of limits.memory, but the infraspec asks for 1200Mi (3 × 400Mi)",
		},
		{
			"cpu means requests",
			"resources: {requests: {cpu: 2}}",
			quota(map[string]string{"cpu": "1"}, nil),
			"leaves 1 of requests.cpu, but the infraspec asks for 2 (1 × 2)",
		},
		{"a default fills in", "", defaults, ""},
		{"a default that is too much", "replicas: 2", defaults, "asks for 1200Mi (2 × 600Mi)"},
		{
			"too many pods",
			"replicas: 5",
			quota(map[string]string{"pods": "4"}, nil),
			"leaves 4 Pods, but the infraspec asks for 5",
		},
		{
			"pods of others",
			"",
			quota(map[string]string{"pods": "1"}, map[string]string{"pods": "1"}),
			"leaves 0 Pods, but the infraspec asks for 1",
		},
		{
			"storage",
			"volumes: [{name: a, mountPath: /a, size: 2Gi}]",
			quota(map[string]string{"requests.storage": "3Gi"}, map[string]string{"requests.storage": "2Gi"}),
			"allows 3Gi of requests.storage in total, 2Gi are used, but the infraspec asks for 2Gi more",
		},
		{
			"claims",
			"volumes: [{name: a, mountPath: /a, size: 2Gi}, {name: there, mountPath: /b, size: 2Gi}]",
			quota(map[string]string{"persistentvolumeclaims": "2"}, map[string]string{"persistentvolumeclaims": "1"}),
			"",
		},
		{
			"others",
			"",
			quota(map[string]string{"count/secrets": "0", "services": "0", "requests.example.com/gpu": "0"}, nil),
			"",
		},
		{"scoped", "", scoped, ""},
		{"within a LimitRange", "resources: {limits: {memory: 64Mi}, requests: {cpu: 100m}}", ranged, ""},
		{"the defaults of a LimitRange", "", ranged, ""},
		{
			"more than a LimitRange allows",
			"resources: {limits: {memory: 1Gi}, requests: {memory: 1Mi}}",
			ranged,
			"LimitRange small allows at most 64Mi of limits.memory for a container, but the infraspec asks for 1Gi",
		},
		{
			"less than a LimitRange requires",
			"resources: {limits: {cpu: 10m}}",
			ranged,
			"LimitRange small requires at least 100m of limits.cpu for a container, but the infraspec asks for 10m",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec, _, err := infraspec.Parse("f", []byte("app: shop\nrole: worker\n"+c.text+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			err = checkQuota(spec, c.budget, &live{claims: map[string]*corev1.PersistentVolumeClaim{"shop-there": {}}})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
