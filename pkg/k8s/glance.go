package k8s

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"
)

// Glance is a Client for somebody who can do without an answer: it is asked for nothing beforehand and a call that fails is not repeated.
// A credential plugin is run without a terminal, so that it cannot ask its user anything; where that cannot be had there is no Client.
func Glance(flags *genericclioptions.ConfigFlags, by Caller) (*Client, error) {
	klog.SetLogger(logr.Discard())
	t, err := resolve(flags, by)
	if err != nil {
		return nil, err
	}
	if err := checkAddress(t); err != nil {
		return nil, err
	}
	if plugin := t.conf.ExecProvider; plugin != nil {
		if plugin.InteractiveMode == clientcmdapi.AlwaysExecInteractiveMode {
			return nil, errors.New("its credential plugin has to ask")
		}
		plugin.InteractiveMode = clientcmdapi.NeverExecInteractiveMode
		if err := leaveTerminal(); err != nil {
			return nil, err
		}
	}
	tune(t.conf, by.UserAgent, connectTimeout)
	t.conf.WrapTransport = nil // nothing is waited for and tried again
	return newClient(t.conf, t.context)
}

// Abandon ends the credential plugin that a Glance may have left running.
func Abandon() { endSession() }

// KubeconfigNames are what a kubeconfig calls its entries.
type KubeconfigNames struct {
	Contexts        map[string]string // each with its cluster
	Clusters, Users []string          // in their order
}

// NamesIn reads the kubeconfig files that the flags and the environment lead to.
func NamesIn(flags *genericclioptions.ConfigFlags) (KubeconfigNames, error) {
	raw, err := flags.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return KubeconfigNames{}, explain(err, "read the kubeconfig")
	}
	names := KubeconfigNames{
		Contexts: map[string]string{},
		Clusters: slices.Sorted(maps.Keys(raw.Clusters)),
		Users:    slices.Sorted(maps.Keys(raw.AuthInfos)),
	}
	for name, c := range raw.Contexts {
		names.Contexts[name] = c.Cluster
	}
	return names, nil
}

// Namespaces lists the cluster's namespaces by name.
func (c *Client) Namespaces(ctx context.Context) ([]string, error) {
	l, err := c.core.Namespaces().List(ctx, inMemory(""))
	if err != nil {
		return nil, explain(err, "list the namespaces")
	}
	var names []string
	for i := range l.Items {
		names = append(names, l.Items[i].Name)
	}
	return names, nil
}

// AppNames lists the apps that norn has in a namespace, by name. What may not be listed is left out, and is the error.
func (c *Client) AppNames(ctx context.Context, ns string) ([]string, error) {
	var deployments, cronJobs, functions []string
	err := together(
		func() error {
			l, err := c.apps.Deployments(ns).List(ctx, inMemory(madeByNorn))
			if err == nil {
				for i := range l.Items {
					deployments = append(deployments, l.Items[i].Labels[AppLabel])
				}
			}
			return explain(err, "list the Deployments in namespace %s", ns)
		},
		func() error {
			l, err := c.batch.CronJobs(ns).List(ctx, inMemory(madeByNorn))
			if err == nil {
				for i := range l.Items {
					cronJobs = append(cronJobs, l.Items[i].Labels[AppLabel])
				}
			}
			return explain(err, "list the CronJobs in namespace %s", ns)
		},
		func() error {
			l, err := c.core.PodTemplates(ns).List(ctx, inMemory(madeByNorn))
			if err == nil {
				for i := range l.Items {
					functions = append(functions, l.Items[i].Labels[AppLabel])
				}
			}
			return explain(err, "list the PodTemplates in namespace %s", ns)
		},
	)
	names := sets.New(slices.Concat(deployments, cronJobs, functions)...)
	names.Delete("")
	return sets.List(names), err
}

// inMemory asks for what the API server has in memory, which is quick and may be a moment old.
func inMemory(selector string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: selector, ResourceVersion: "0"}
}
