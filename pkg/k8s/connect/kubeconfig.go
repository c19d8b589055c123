package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// target is where the flags, the environment and the kubeconfig files lead.
type target struct {
	conf    *rest.Config
	context string // the context's name, or "in-cluster"
	user    string // the kubeconfig's user entry, for messages
}

const inCluster = "in-cluster"

// resolve finds out which API server is meant. It checks each link of the chain (file,
// context, cluster) itself: client-go goes on to localhost:8080 where one is
// missing, which is never what a user of norn means.
func resolve(flags *genericclioptions.ConfigFlags, by Caller) (*target, error) {
	loader := flags.ToRawKubeConfigLoader()
	files := kubeconfigFiles(loader)
	if files.isText() {
		return nil, &UnavailableError{
			Reason: files.from + " holds the text of a kubeconfig, where a path belongs",
			Advice: "write the text into a file that only its owner can read, and name that",
		}
	}
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, unreadable(err, files)
	}
	t := &target{}
	switch {
	case value(flags.APIServer) != "": // --server needs no kubeconfig
		t.context = "--server"
	case len(raw.Contexts) == 0 && len(raw.Clusters) == 0:
		if conf, ok := serviceAccount(flags); ok {
			return &target{conf: conf, context: inCluster, user: "the pod's service account"}, nil
		}
		return nil, nothingConfigured(files)
	default:
		if t.context, t.user, err = checkChain(flags, raw, files); err != nil {
			return nil, err
		}
	}
	if t.conf, err = flags.ToRESTConfig(); err != nil {
		return nil, &UnavailableError{
			Reason: fmt.Sprintf("context %q of %s cannot be used: %v", t.context, files, oneLine(err)),
			Advice: "mend that entry of the kubeconfig, or choose another with --context",
			Err:    err,
		}
	}
	if plugin := t.conf.ExecProvider; plugin != nil { // it gets the whole environment, and then what stands here
		for _, name := range by.Keys {
			plugin.Env = append(plugin.Env, clientcmdapi.ExecEnvVar{Name: name})
		}
	}
	return t, nil
}

// serviceAccount is the in-cluster configuration of a pod, where norn runs in one and no kubeconfig was named.
func serviceAccount(flags *genericclioptions.ConfigFlags) (*rest.Config, bool) {
	if value(flags.KubeConfig) != "" || os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "" || value(flags.Context) != "" {
		return nil, false
	}
	conf, err := rest.InClusterConfig()
	return conf, err == nil
}

// checkChain follows context -> cluster and context -> user, and names the first link that is missing.
func checkChain(flags *genericclioptions.ConfigFlags, raw clientcmdapi.Config, files sources) (context, user string, err error) {
	context = value(flags.Context)
	if context == "" {
		context = raw.CurrentContext
	}
	known := fmt.Sprintf("its contexts: %s", list(slices.Sorted(maps.Keys(raw.Contexts))))
	if context == "" {
		return "", "", &UnavailableError{
			Reason: fmt.Sprintf("%s has no current-context (%s)", files, known),
			Advice: "choose one with --context NAME, or set it with kubectl config use-context NAME",
		}
	}
	entry, ok := raw.Contexts[context]
	if !ok {
		return "", "", &UnavailableError{
			Reason: fmt.Sprintf("context %q not found in %s (%s)", context, files, known),
			Advice: "choose one that is there with --context NAME",
		}
	}
	broken := func(what string) error {
		return &UnavailableError{
			Reason: fmt.Sprintf("context %q in %s %s", context, files, what),
			Advice: "mend the kubeconfig (kubectl config set-context), or choose another context with --context",
		}
	}
	clusterName := first(value(flags.ClusterName), entry.Cluster)
	cluster, ok := raw.Clusters[clusterName]
	switch {
	case clusterName == "":
		return "", "", broken("names no cluster")
	case !ok:
		return "", "", broken(fmt.Sprintf("names cluster %q, which is not there", clusterName))
	case cluster.Server == "":
		return "", "", broken(fmt.Sprintf("leads to cluster %q, which has no server address", clusterName))
	}
	user = first(value(flags.AuthInfoName), entry.AuthInfo)
	if _, ok := raw.AuthInfos[user]; !ok && user != "" {
		return "", "", broken(fmt.Sprintf("names user %q, which is not there", user))
	}
	return context, user, nil
}

// sources are the kubeconfig files that were looked at.
type sources struct {
	paths []string
	from  string // "--kubeconfig", "KUBECONFIG" or "" for the default place
}

// maxPath is longer than any path can be (Linux: PATH_MAX), and shorter than a kubeconfig in base64.
const maxPath = 4096

// isText reports whether the text of a kubeconfig stands where its path belongs. It holds credentials, and is not repeated.
func (s sources) isText() bool {
	return s.from != "" && slices.ContainsFunc(s.paths, func(p string) bool { return len(p) > maxPath || strings.ContainsAny(p, "\n\r{") })
}

// String is how a message names them.
func (s sources) String() string { return "kubeconfig " + strings.Join(s.paths, ", ") }

func kubeconfigFiles(loader clientcmd.ClientConfig) sources {
	access := loader.ConfigAccess()
	switch {
	case access.IsExplicitFile():
		return sources{[]string{access.GetExplicitFile()}, "--kubeconfig"}
	case os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "":
		return sources{filepath.SplitList(os.Getenv(clientcmd.RecommendedConfigPathEnvVar)), "KUBECONFIG"}
	default:
		return sources{access.GetLoadingPrecedence(), ""}
	}
}

// unreadable is for a file that is there and cannot be read or parsed, and for a missing --kubeconfig.
func unreadable(err error, files sources) error {
	if errors.Is(err, fs.ErrNotExist) {
		return missingFile(files)
	}
	reason := oneLine(err)
	if strings.Contains(reason, "cannot unmarshal") { // Go's words for a file that is something else
		reason = "it is not a kubeconfig"
	}
	return &UnavailableError{
		Reason: fmt.Sprintf("%s cannot be read: %s", files, reason),
		Advice: "mend the file, or name another with --kubeconfig",
		Err:    err,
	}
}

func missingFile(files sources) error {
	return &UnavailableError{
		Reason: fmt.Sprintf("%s names %s, which does not exist", files.from, strings.Join(files.paths, ", ")),
		Advice: "correct the path, or unset it to use " + clientcmd.RecommendedHomeFile,
	}
}

// nothingConfigured tells a missing kubeconfig from an empty one.
func nothingConfigured(files sources) error {
	there := slices.ContainsFunc(files.paths, func(p string) bool { _, err := os.Stat(p); return err == nil })
	switch {
	case there:
		return &UnavailableError{
			Reason: fmt.Sprintf("%s is empty: it has no cluster and no context", files),
			Advice: "fill it (most clusters' own command writes one), or name another with --kubeconfig",
		}
	case files.from != "":
		return missingFile(files)
	default:
		return &UnavailableError{
			Reason: fmt.Sprintf("no kubeconfig: %s does not exist", strings.Join(files.paths, ", ")),
			Advice: "name one with --kubeconfig or KUBECONFIG",
		}
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func first(s ...string) string {
	i := slices.IndexFunc(s, func(t string) bool { return t != "" })
	if i < 0 {
		return ""
	}
	return s[i]
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// oneLine keeps a foreign message from breaking norn's "one line why".
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
