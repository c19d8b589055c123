package status

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"norn/pkg/forge/objects"
	"norn/pkg/k8s"
	"norn/pkg/k8s/metadata"
)

// ofShop makes an object that of a process of the app shop.
func ofShop(labels map[string]string, process string) {
	labels[metadata.AppLabel], labels[metadata.ProcessLabel] = "shop", process
}

// An app with processes is one app. It names the processes of the infraspec, and the others in the cluster.
func TestOverviewOfProcesses(t *testing.T) {
	suspended := true
	inv := &k8s.Inventory{
		Deployments: []appsv1.Deployment{
			deployment("shop", func(*appsv1.Deployment) {}),
			deployment("shop-worker", func(d *appsv1.Deployment) {
				ofShop(d.Labels, "worker")
				d.Spec.Template.Spec.Containers[0].Name = "shop"
				d.Status.AvailableReplicas = 1
			}),
			deployment("shop-old", func(d *appsv1.Deployment) {
				ofShop(d.Labels, "old")
				d.Status.Replicas = 3
			}),
		},
		CronJobs: []batchv1.CronJob{
			{ObjectMeta: named("shop-nightly"), Spec: batchv1.CronJobSpec{Suspend: &suspended}},
			{ObjectMeta: named("shop-weekly"), Spec: batchv1.CronJobSpec{Suspend: &suspended}},
			{ObjectMeta: named("shop-ending"), Spec: batchv1.CronJobSpec{}},
		},
	}
	for i, process := range []string{"nightly", "weekly", "ending"} {
		ofShop(inv.CronJobs[i].Labels, process)
	}
	inv.CronJobs[1].ManagedFields = []metav1.ManagedFieldsEntry{
		{Manager: metadata.DeployManager, Operation: metav1.ManagedFieldsOperationApply},
	}
	inv.CronJobs[2].Labels[objects.RoleLabel], inv.CronJobs[2].DeletionTimestamp = "cron", &metav1.Time{}
	apps := onDisk(t, map[string]string{"shop": "app: shop\nrole: worker\nprocesses:\n  worker: {replicas: 2}\n" +
		"  nightly: {role: cron, command: x, schedule: '@daily'}\n  new:\n" +
		"  weekly: {role: cron, command: x, schedule: '@weekly'}\n"})
	locals := []Local{OfFile(filepath.Join(apps, "shop", "infraspec.yaml"))}
	all := Overview(locals, inv, objects.Settings{})
	if len(all) != 1 || all[0].Name != "shop" || all[0].State != Running {
		t.Fatalf("%+v", all)
	}
	var got []string
	for _, p := range all[0].Processes {
		got = append(got, p.Name+" "+p.Role+" "+string(p.State))
	}
	want := []string{
		"ending cron terminating", "new worker not forged", "nightly cron not deployed", "old worker running",
		"weekly cron suspended", "worker worker not ready",
	}
	if !slices.Equal(got, want) {
		t.Errorf("processes %q, want %q", got, want)
	}
	if version := all[0].Processes[5].Version; version == "" {
		t.Errorf("version %q", version)
	}
	for _, drift := range []string{"process new is missing", "process old is no longer in the infraspec"} {
		if !slices.Contains(all[0].Drift, drift) {
			t.Errorf("no drift %q in %q", drift, all[0].Drift)
		}
	}
	if slices.Contains(all[0].Drift, "process ending is no longer in the infraspec") {
		t.Error("a process that is being deleted is drift")
	}
	if text := strings.Join(all[0].Warnings, "\n"); !strings.Contains(text, "process old: a rollout is not complete") ||
		!strings.Contains(text, "norn status shop shows why") {
		t.Errorf("warnings %q", text)
	}

	// Without the infraspec, the cluster alone names them.
	all = Overview(nil, inv, objects.Settings{})
	if len(all) != 1 || len(all[0].Processes) != 5 {
		t.Errorf("without a file: %+v", all)
	}
}
