package connect

import (
	"errors"

	"github.com/go-logr/logr"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/klog/v2"

	"norn/pkg/k8s"
)

// DialQuick returns a best-effort client for shell completion: no check of the server, no retries. It runs a credential
// plugin without a terminal, so the plugin cannot prompt. It returns an error if the plugin requires a terminal.
func DialQuick(flags *genericclioptions.ConfigFlags, by Caller) (*k8s.Client, error) {
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
			return nil, errors.New("the credential plugin requires a terminal")
		}
		plugin.InteractiveMode = clientcmdapi.NeverExecInteractiveMode
		if err := leaveTerminal(); err != nil {
			return nil, err
		}
	}
	tune(t.conf, by.UserAgent, connectTimeout)
	t.conf.WrapTransport = nil // no retries and no limits: completion has its own
	return k8s.New(t.conf, t.context)
}

// StopPlugin terminates a credential plugin that a client of DialQuick left running.
func StopPlugin() { endSession() }
