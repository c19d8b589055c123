// Command kubernetes is every Kubernetes program that a devcluster runs, in one binary. The program is chosen by the
// name that the binary is called under, or else by the first argument: `kubernetes kubelet …`.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // a CronJob's time zone, also where the machine has no zone files

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/version" // the node's version comes from here
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs run with their own command line, the name included, and return an exit code.
var programs = map[string]func(args []string) int{
	"etcd":                    func(args []string) int { etcdmain.Main(args); return 0 },
	"kube-apiserver":          cobraMain(apiserver.NewAPIServerCommand),
	"kube-controller-manager": cobraMain(controllers.NewControllerManagerCommand),
	"kube-proxy":              cobraMain(proxy.NewProxyCommand),
	"kube-scheduler":          cobraMain(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubectl":                 cobraMain(kubectl.NewDefaultKubectlCommand),
	"kubelet":                 cobraMain(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
}

func main() {
	args := os.Args
	start, ok := programs[filepath.Base(args[0])]
	if !ok && len(args) > 1 {
		args = args[1:]
		start, ok = programs[args[0]]
	}
	if !ok {
		names := slices.Sorted(maps.Keys(programs))
		fmt.Fprintf(os.Stderr, "usage: kubernetes %s [flags]\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	os.Args = args // etcd and kubectl read it themselves
	os.Exit(start(args))
}

func cobraMain(newCmd func() *cobra.Command) func([]string) int {
	return func(args []string) int {
		c := newCmd()
		c.SetArgs(args[1:])
		return cli.Run(c)
	}
}
