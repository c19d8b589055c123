package connect

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"norn/pkg/k8s"
)

// canary is the secret in the kubeconfigs of FuzzKubeconfig.
const canary = "cAnArY"

// kubeconfigSeeds are kubeconfigs of users and mistakes in them.
func kubeconfigSeeds() []string {
	const head = "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
	const contexts = "contexts: [{name: here, context: {cluster: c, user: u}}]\n"
	const clusters = "clusters: [{name: c, cluster: {server: https://127.0.0.1:1}}]\n"
	cluster := func(entry string) string { return fmt.Sprintf("clusters: [{name: c, cluster: {%s}}]\n", entry) }
	user := func(entry string) string { return fmt.Sprintf("users: [{name: u, user: {%s}}]\n", entry) }
	token := user("token: " + canary)
	seeds := []string{
		"", canary, "\xef\xbb\xbf" + head + contexts + clusters + token,
		head + contexts + clusters + token,
		head + contexts + clusters,
		head + clusters + token,
		head + contexts + token,
		head + contexts + cluster("") + token,
		head + strings.ReplaceAll(contexts, "user: u", "user: nobody") + clusters + token,
		head + contexts + contexts + clusters + token,
		head + strings.Repeat(contexts, 1) + "contexts:\n\t- " + canary + "\n" + token,
		head + contexts + clusters + "users:\n- name: u\n  user:\n\ttoken: " + canary + "\n",
		head + contexts + clusters + "users: {u: {token: " + canary + "}}\n",
		head + contexts + clusters + user("token: *"+canary),
		head + contexts + clusters + user("token: !!int "+canary),
		head + contexts + clusters + user("token: ["+canary+"]"),
		head + contexts + clusters + user("? {"+canary+": 1} : 1"),
		head + contexts + clusters + user("tokenFile: /nowhere, token: "+canary),
		head + contexts + clusters + user("username: a, password: "+canary),
		head + contexts + clusters + user("client-certificate-data: "+canary+", client-key-data: "+canary),
		head + contexts + clusters + user("client-key-data: '%%"+canary+"'"),
		head + contexts + clusters + user("client-certificate-data: Y0FuQXJZ, client-key-data: Y0FuQXJZ"),
		head + contexts + clusters + user("exec: {}"),
		head + contexts + clusters + user("exec: {command: '', args: ["+canary+"]}"),
		head + contexts + clusters + user("exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/login, "+
			"interactiveMode: Never, args: ["+canary+"], env: [{name: A, value: "+canary+"}]}"),
		head + contexts + clusters + user("auth-provider: {name: oidc, config: {id-token: "+canary+"}}"),
		head + contexts + cluster("server: 'https://user:"+canary+"@127.0.0.1:1/?token="+canary+"'") + token,
		head + contexts + cluster("server: 'https://user:"+canary+"@127.0.0.1:x'") + token,
		head + contexts + cluster("server: https://127.0.0.1:1, tls-server-name: other") + token,
		head + contexts + cluster("server: https://127.0.0.1:1, certificate-authority-data: "+canary) + token,
		head + contexts + cluster("server: https://127.0.0.1:1, certificate-authority: /nowhere") + token,
		`{"apiVersion":"v1","kind":"Config","users":[{"name":"u","user":{"token":"` + canary + `"}}]`,
		"kind: Pod\nmetadata: {name: " + canary + "}\n",
	}
	for _, proxy := range []string{
		"http://user:%s@127.0.0.1:1", "socks5://user:%s@127.0.0.1:1", "ftp://user:%s@h", "http://user:%s@h/%%zz", "user:%s@h",
		"://%s@",
	} {
		address := fmt.Sprintf(proxy, canary)
		entry := fmt.Sprintf("server: https://127.0.0.1:1, proxy-url: '%s'", address)
		seeds = append(seeds, head+contexts+cluster(entry)+token)
	}
	return seeds
}

// connectErrors are errors of the network and of servers.
func connectErrors() []error {
	return []error{
		errors.New("EOF"), errors.New("getting credentials: exec: failed"), syscall.ECONNREFUSED,
		&net.DNSError{Name: "127.0.0.1"}, x509.UnknownAuthorityError{}, apierrors.NewUnauthorized("no"),
		apierrors.NewServiceUnavailable("later"), &k8s.AnswerError{MediaType: "text/html"},
	}
}

// A kubeconfig of any content is used, or refused with a reason and a hint. No message has a secret of it.
func FuzzKubeconfig(f *testing.F) {
	for _, seed := range kubeconfigSeeds() {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "KUBECONFIG"} {
		f.Setenv(name, "")
	}
	f.Fuzz(func(t *testing.T, text []byte, withServer bool) {
		path := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		flags := genericclioptions.NewConfigFlags(false)
		*flags.KubeConfig = path
		if withServer {
			*flags.APIServer = "https://127.0.0.1:1"
		}
		raw, err := clientcmd.LoadFromFile(path)
		if err == nil && strings.Contains(public(raw), canary) {
			t.Skip("the canary is not secret")
		}
		for _, err := range refusals(flags) {
			unavailable, ok := errors.AsType[*UnavailableError](err)
			if !ok || unavailable.Reason == "" || unavailable.Advice == "" {
				t.Fatalf("%#v", err)
			}
			if said := unavailable.Reason + unavailable.Advice; strings.Contains(said, canary) {
				t.Errorf("the message has the canary: %s", said)
			}
		}
	})
}

// refusals returns the errors about a kubeconfig, or about each thing that can go wrong with its server.
func refusals(flags *genericclioptions.ConfigFlags) []error {
	target, err := resolve(flags, Caller{})
	if err == nil {
		err = checkAddress(target)
	}
	if err != nil {
		return []error{err}
	}
	tune(target.conf, "test", time.Second)
	if _, err := connected(target, Caller{}); err != nil {
		return []error{err}
	}
	var refused []error
	for _, err := range connectErrors() {
		refused = append(refused, diagnose(err, target, time.Second))
	}
	return refused
}

// public returns the parts of a kubeconfig that messages may quote.
func public(raw *clientcmdapi.Config) string {
	var text strings.Builder
	for name, c := range raw.Contexts {
		fmt.Fprintln(&text, name, c.Cluster, c.AuthInfo)
	}
	for name, c := range raw.Clusters {
		fmt.Fprintln(&text, name, withoutCredentials(c.Server), withoutCredentials(c.ProxyURL), c.TLSServerName,
			c.CertificateAuthority)
	}
	for name, u := range raw.AuthInfos {
		fmt.Fprintln(&text, name, u.ClientCertificate, u.ClientKey, u.TokenFile, u.Impersonate)
		if u.Exec != nil {
			fmt.Fprintln(&text, u.Exec.Command, u.Exec.APIVersion, u.Exec.InteractiveMode)
		}
		if u.AuthProvider != nil {
			fmt.Fprintln(&text, u.AuthProvider.Name)
		}
	}
	fmt.Fprintln(&text, raw.CurrentContext)
	return text.String()
}
