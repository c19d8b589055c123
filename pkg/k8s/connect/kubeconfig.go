package connect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// target is the API server that flags, environment and kubeconfig select.
type target struct {
	conf    *rest.Config
	context string // the context's name, or "in-cluster"
	// namespace is the context's own, or "".
	namespace string
	user      string // the kubeconfig's user entry, for messages
}

const inCluster = "in-cluster"

// resolve returns the selected API server. It checks each link of the chain (file, context, cluster) itself: if one is
// missing, client-go falls back to localhost:8080, which is never the intended server.
func resolve(flags *genericclioptions.ConfigFlags, by Caller) (*target, error) {
	loader := flags.ToRawKubeConfigLoader()
	files := kubeconfigFiles(loader)
	if files.isText() {
		return nil, &UnavailableError{
			Reason: files.from + " must be a file path, but contains a kubeconfig itself",
			Advice: "save the kubeconfig to a file that only its owner can read, and set " + files.from + " to its path",
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
			return &target{conf: conf, context: inCluster, user: "the Pod's service account"}, nil
		}
		return nil, notConfiguredError(files)
	default:
		if t.context, t.user, err = checkChain(flags, raw, files); err != nil {
			return nil, err
		}
		t.namespace = raw.Contexts[t.context].Namespace
	}
	if t.conf, err = flags.ToRESTConfig(); err != nil {
		return nil, &UnavailableError{
			Reason: fmt.Sprintf("context %q of %s cannot be used: %v", t.context, files, withoutProxies(oneLine(err), raw)),
			Advice: "fix that entry of the kubeconfig, or choose another context with --context",
			Err:    err,
		}
	}
	if plugin := t.conf.ExecProvider; plugin != nil { // it inherits the environment, which an empty Env entry overrides
		for _, name := range by.Keys {
			plugin.Env = append(plugin.Env, clientcmdapi.ExecEnvVar{Name: name})
		}
	}
	return t, nil
}

// serviceAccount returns the in-cluster configuration, if norn runs in a pod and the user selected no kubeconfig.
func serviceAccount(flags *genericclioptions.ConfigFlags) (*rest.Config, bool) {
	if value(flags.KubeConfig) != "" || value(flags.Context) != "" ||
		os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "" {
		return nil, false
	}
	conf, err := rest.InClusterConfig()
	return conf, err == nil
}

// checkChain follows context -> cluster and context -> user. Its error names the first missing link.
func checkChain(flags *genericclioptions.ConfigFlags, raw clientcmdapi.Config, files sources) (
	context, user string, err error) {
	context = value(flags.Context)
	if context == "" {
		context = raw.CurrentContext
	}
	known := contextsNear(context, raw.Contexts)
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
			Advice: "choose an existing context with --context NAME",
		}
	}
	broken := func(what string) error {
		return &UnavailableError{
			Reason: fmt.Sprintf("context %q in %s %s", context, files, what),
			Advice: "fix the kubeconfig (kubectl config set-context), or choose another context with --context",
		}
	}
	clusterName := cmp.Or(value(flags.ClusterName), entry.Cluster)
	cluster, ok := raw.Clusters[clusterName]
	switch {
	case clusterName == "":
		return "", "", broken("names no cluster")
	case !ok:
		return "", "", broken(fmt.Sprintf("names cluster %q, which does not exist", clusterName))
	case cluster.Server == "":
		return "", "", broken(fmt.Sprintf("names cluster %q, which has no server address", clusterName))
	}
	if problem := checkProxy(cluster); problem != "" {
		return "", "", broken(fmt.Sprintf("names cluster %q, which %s", clusterName, problem))
	}
	user = cmp.Or(value(flags.AuthInfoName), entry.AuthInfo)
	if _, ok := raw.AuthInfos[user]; !ok && user != "" {
		return "", "", broken(fmt.Sprintf("names user %q, which does not exist", user))
	}
	return context, user, nil
}

// sources are the selected kubeconfig files.
type sources struct {
	paths []string
	from  string // "--kubeconfig", "KUBECONFIG" or "" for the default path
}

// maxPath is the longest possible path (Linux: PATH_MAX). A kubeconfig in base64 is longer.
const maxPath = 4096

// isText reports whether the path is really the text of a kubeconfig, which contains credentials. Messages must not
// quote it.
func (s sources) isText() bool {
	return s.from != "" && slices.ContainsFunc(s.paths, func(p string) bool {
		return len(p) > maxPath || strings.ContainsAny(p, "\n\r{")
	})
}

// String returns the files for messages.
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

// unreadable returns the error for a file that cannot be read or parsed, or for a missing --kubeconfig.
func unreadable(err error, files sources) error {
	if errors.Is(err, fs.ErrNotExist) {
		return missingFile(files)
	}
	reason := withoutContent(oneLine(err))
	if strings.Contains(reason, "cannot unmarshal") || strings.Contains(reason, "no kind") { // a file of another kind
		reason = "not a kubeconfig"
	}
	return &UnavailableError{
		Reason: fmt.Sprintf("cannot read %s: %s", files, reason),
		Advice: "fix the file, or choose another with --kubeconfig",
		Err:    err,
	}
}

// withoutContent returns a decoder's error up to the first part of the file that it quotes, which may be secret.
func withoutContent(text string) string {
	if prefix, rest, ok := strings.Cut(text, `": `); ok && strings.HasPrefix(prefix, "error loading config file ") {
		text = rest
	}
	text, _, _ = strings.Cut(text, "invalid map key") // quotes without marks
	if i := strings.IndexAny(text, "\"'`"); i >= 0 {
		text = strings.TrimSpace(text[:i]) + " …"
	}
	return text
}

// withoutProxies returns an error of client-go without the passwords in proxy-url entries.
func withoutProxies(text string, raw clientcmdapi.Config) string {
	for _, c := range raw.Clusters {
		if c.ProxyURL == "" {
			continue
		}
		escaped := strings.Trim(strconv.Quote(c.ProxyURL), `"`)
		for _, form := range []string{c.ProxyURL, strings.Join(strings.Fields(c.ProxyURL), " "), escaped} {
			text = strings.ReplaceAll(text, form, withoutCredentials(c.ProxyURL))
		}
	}
	return text
}

// missingFile returns the error for a --kubeconfig or KUBECONFIG that does not exist.
func missingFile(files sources) error {
	verb, advice := "does", "correct the path"
	if len(files.paths) > 1 {
		verb = "do"
	}
	if _, err := os.Stat(clientcmd.RecommendedHomeFile); err == nil {
		without := "omit it"
		if files.from == clientcmd.RecommendedConfigPathEnvVar {
			without = "unset it"
		}
		advice += fmt.Sprintf(", or %s to use %s", without, clientcmd.RecommendedHomeFile)
	}
	return &UnavailableError{
		Reason: fmt.Sprintf("%s names %s, which %s not exist", files.from, strings.Join(files.paths, ", "), verb),
		Advice: advice,
	}
}

// notConfiguredError returns the error for an empty or missing kubeconfig.
func notConfiguredError(files sources) error {
	exists := slices.ContainsFunc(files.paths, func(p string) bool { _, err := os.Stat(p); return err == nil })
	switch {
	case exists:
		return &UnavailableError{
			Reason: fmt.Sprintf("%s is empty: it has no cluster and no context", files),
			Advice: "write a kubeconfig with your cluster's own tool, or choose another file with --kubeconfig",
		}
	case files.from != "":
		return missingFile(files)
	default:
		return &UnavailableError{
			Reason: fmt.Sprintf("no kubeconfig: %s does not exist", strings.Join(files.paths, ", ")),
			Advice: "set --kubeconfig or KUBECONFIG",
		}
	}
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// oneLine returns an error's text on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
