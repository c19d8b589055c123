package rollout

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	k8srollout "norn/pkg/k8s/rollout"
)

// usualPorts are the default ports of web frameworks.
var usualPorts = []int{
	80, 1323, 3000, 3001, 4000, 4567, 5000, 5173, 8000, 8008, 8080, 8081, 8443, 8888, 9000, 9090, 9292,
}

// portsTimeout bounds the whole search for ports.
const portsTimeout = 4 * time.Second

// listening returns the ports on which the verdict's pod answers, among the usual ones and the ports in its log.
// It needs the permission to reach pods through the API server (pods/proxy), and returns none without it.
func (r *runner) listening(ctx context.Context, v k8srollout.Verdict) []int {
	ctx, cancel := context.WithTimeout(ctx, portsTimeout)
	defer cancel()
	var (
		calls sync.WaitGroup
		mu    sync.Mutex
		found []int
	)
	log, _ := r.tail(ctx, v, false) // without the log, the usual ports remain
	for _, port := range candidates(log, v.Port) {
		calls.Go(func() {
			if open, err := r.cluster.Listens(ctx, r.Namespace, v.Pod, port); err == nil && open {
				mu.Lock()
				found = append(found, port)
				mu.Unlock()
			}
		})
	}
	calls.Wait()
	slices.Sort(found)
	return found
}

// mentionedPort matches a port in the log of an app that starts, such as "listening on :3000" or "http://0.0.0.0:3000".
var mentionedPort = regexp.MustCompile(`(?i)(?:\bport\b\D{0,3}|[\w\]*.]?:)(\d{2,5})\b`)

// maxCandidates bounds the number of ports to try.
const maxCandidates = 40

// candidates returns the ports to try: usualPorts and the ports in the log, except for without.
func candidates(log []string, without int) []int {
	ports := slices.Clone(usualPorts)
	for _, line := range log {
		for _, m := range mentionedPort.FindAllStringSubmatch(line, -1) {
			if port, err := strconv.Atoi(m[1]); err == nil && port < 1<<16 {
				ports = append(ports, port)
			}
		}
	}
	slices.Sort(ports)
	ports = slices.DeleteFunc(slices.Compact(ports), func(p int) bool { return p == without })
	return ports[:min(len(ports), maxCandidates)]
}

func numbers(ports []int) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = fmt.Sprint(p)
	}
	return strings.Join(texts, ", ")
}
