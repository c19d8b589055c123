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

// usualPorts are where web servers listen by their frameworks' defaults.
var usualPorts = []int{80, 1323, 3000, 3001, 4000, 4567, 5000, 5173, 8000, 8008, 8080, 8081, 8443, 8888, 9000, 9090, 9292}

// portsAskTimeout bounds the asking as a whole.
const portsAskTimeout = 4 * time.Second

// listening finds ports on which the verdict's pod answers, among those that its log speaks of and the usual ones. It is empty where that cannot be
// learned: it takes the right to reach pods through the API server (pods/proxy).
func (r *runner) listening(ctx context.Context, v k8srollout.Verdict) []int {
	ctx, cancel := context.WithTimeout(ctx, portsAskTimeout)
	defer cancel()
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		found  []int
	)
	for _, port := range candidates(r.tail(ctx, v, false), v.Port) {
		asking.Go(func() {
			if open, err := r.cluster.Listens(ctx, r.Namespace, v.Pod, port); err == nil && open {
				mu.Lock()
				found = append(found, port)
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	slices.Sort(found)
	return found
}

// spokenOf finds ports in what an app logs when it starts, such as "listening on :3000" or "http://0.0.0.0:3000".
var spokenOf = regexp.MustCompile(`(?i)(?:\bport\b\D{0,3}|[\w\]*.]?:)(\d{2,5})\b`)

func candidates(log []string, not int) []int {
	ports := slices.Clone(usualPorts)
	for _, line := range log {
		for _, m := range spokenOf.FindAllStringSubmatch(line, -1) {
			if port, err := strconv.Atoi(m[1]); err == nil && port < 1<<16 {
				ports = append(ports, port)
			}
		}
	}
	slices.Sort(ports)
	ports = slices.DeleteFunc(slices.Compact(ports), func(p int) bool { return p == not })
	return ports[:min(len(ports), 40)]
}

func numbers(ports []int) string {
	texts := make([]string, len(ports))
	for i, p := range ports {
		texts[i] = fmt.Sprint(p)
	}
	return strings.Join(texts, ", ")
}
